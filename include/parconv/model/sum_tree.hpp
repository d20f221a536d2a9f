// SPDX-License-Identifier: Apache-2.0
// The order of a sum over input channels: leaves of consecutive channels, joined by a binary tree (docs/arithmetic.md).
#pragma once

#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// How finely the sum over the input channels of a group is divided into leaves.
enum class LeafRule { Coarse, Fine };

/// The leaves of a sum over `channels` channels (of one group), in index order: leaf k is [k * channels / count, (k + 1) *
/// channels / count). With one leaf, the default, the sum is one chain over all channels, and `channels` does not matter.
/// Example: 10 channels in 4 leaves: [0, 2), [2, 5), [5, 7), [7, 10).
struct SumLeaves {
  index_t channels = 1;
  index_t count = 1;

  /// The channels of leaf k. Preconditions: 0 <= k < count <= channels.
  Interval leaf(index_t k) const;

  friend bool operator==(const SumLeaves&, const SumLeaves&) = default;
};

/// The leaves of a layer with `channels` input channels per group and `taps` filter taps. They depend on the whole layer only,
/// never on a rank's part. Coarse: as many as the largest power of two <= min(8, channels / 64, channels * taps / 512), at least
/// 1. Fine: min(64, channels). Precondition: both are at least 1.
SumLeaves leaves_of(index_t channels, index_t taps, LeafRule rule);

/// Number of joins after leaf k when tree(n) = tree(ceil(n / 2)) + tree(floor(n / 2)) is evaluated in index order with a stack
/// (post-order): a join pops two partial sums a, b (a pushed first) and pushes a + b. Sums to count - 1. Precondition: count
/// >= 1. Example: 5 leaves, ((0 + 1) + 2) + (3 + 4): {0, 1, 1, 0, 2}.
std::vector<int> joins_after_leaves(index_t count);

}  // namespace parconv
