// SPDX-License-Identifier: Apache-2.0
// The order of a sum over input channels: leaves of consecutive channels, joined by a binary tree (docs/arithmetic.md).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// A sum has at most this many leaves, and its tree at most this many partial sums on the stack of joins_after.
inline constexpr index_t most_leaves = 64;
inline constexpr int most_open_sums = 7;

/// How finely the sum over the input channels of a group is divided into leaves.
enum class LeafRule { Coarse, Fine };

/// The leaves of a sum over `channels` channels (of one group), in index order: leaf k is [border(k), border(k + 1)). With one
/// leaf, the default, the sum is one chain over all channels, and `channels` does not matter. Example: 10 channels in 4 leaves:
/// [0, 2), [2, 5), [5, 7), [7, 10).
struct SumLeaves {
  index_t channels = 1;
  index_t count = 1;

  /// Where leaf k begins: k * channels / count. Precondition: 0 <= k <= count.
  index_t border(index_t k) const { return k * channels / count; }

  /// The channels of leaf k. Preconditions: 0 <= k < count <= channels.
  Interval leaf(index_t k) const;

  /// The numbers of the leaves that make up `part`, an interval of channels; none if a border of `part` lies inside a leaf.
  std::optional<Interval> leaves_in(Interval part) const;

  friend bool operator==(const SumLeaves&, const SumLeaves&) = default;
};

/// The leaves of a layer with `channels` input channels per group and `taps` filter taps. They depend on the whole layer only,
/// never on a rank's part. Coarse: as many as the largest power of two <= min(8, channels / 64, channels * taps / 512), at least
/// 1. Fine: min(most_leaves, channels). Precondition: both are at least 1.
SumLeaves leaves_of(index_t channels, index_t taps, LeafRule rule);

/// Number of joins after each part when the tree over `count` leaves, tree(n) = tree(ceil(n / 2)) + tree(floor(n / 2)), is
/// evaluated in index order with a stack (post-order): a join pops two partial sums a, b (a pushed first) and pushes a + b. Parts
/// are intervals of leaves in index order, each a node of the tree; a node of which nothing is there is left out, and its parent
/// is its sibling. Sums to one less than the number of parts. Example: 5 leaves, ((0 + 1) + 2) + (3 + 4), as five parts: {0, 1,
/// 1, 0, 2}; the parts [0, 2), [2, 3), [3, 5): {0, 1, 1}; without leaves 1 and 3: {0, 1, 1}. Preconditions: count >= 1, and parts
/// are disjoint nodes.
std::vector<int> joins_after(index_t count, std::span<const Interval> parts);

/// The same with every leaf a part. Example: 4 leaves, (0 + 1) + (2 + 3): {0, 1, 0, 2}.
std::vector<int> joins_after_leaves(index_t count);

/// The fewest nodes of the tree over `count` leaves that make up the leaves of `range`, in index order. Example: 8 leaves, [1,
/// 7): [1, 2), [2, 4), [4, 6), [6, 7). Precondition: `range` is within [0, count).
std::vector<Interval> subtrees_of(index_t count, Interval range);

/// Divides the tree over `count` leaves into `parts` parts, as borders between leaves. A power of two parts, of which there are
/// at most `count`, are nodes of the tree; others differ by one leaf at most. Example: 6 leaves in 4 parts: 0, 2, 3, 5, 6; in 5
/// parts: 0, 2, 3, 4, 5, 6. Precondition: both are at least 1.
std::vector<index_t> tree_cuts(index_t count, int parts);

}  // namespace parconv
