// SPDX-License-Identifier: Apache-2.0
// Division of the channels of convolutions over the grid axes f and c.
#pragma once

#include <span>
#include <vector>

#include "parconv/geometry/cuts.hpp"
#include "parconv/geometry/grid.hpp"
#include "parconv/model/operators.hpp"

namespace parconv {

/// Output channels that each part computes and input channels, over all groups, that it sums over: parts by (f, c), c fastest.
struct ChannelCuts {
  std::vector<Interval> computed{};
  std::vector<Interval> contracted{};
  bool is_off_leaves = false;  ///< some sum is divided inside a leaf, so the last bits of results may differ from one rank's
};

/// Divides the sums of a layer whose output channels have the owners `owned`, by (f, c). The sums over the input channels of each
/// filter part are cut by `ic_cuts`, or if that is empty by this rule:
/// * whole groups if each part of c gets one;
/// * otherwise at leaves, in nodes of the tree where possible (tree_cuts), if a group has a leaf for each of its parts;
/// * otherwise, under the coarse rule, inside leaves, if a group has a channel for each of its parts;
/// * otherwise not at all: every part computes the channels that it owns.
/// The last is also the choice if every part owns whole groups. Local and pure.
ChannelCuts cut_channels(const ChannelGroups& channels, const Grid& grid, std::span<const Interval> owned, const Cuts& ic_cuts);

/// Divides `contracted`, the input channels that a part sums over, into the fewest intervals that are whole groups or a node of
/// one group's tree, in index order. Precondition: its borders are borders of leaves.
std::vector<Interval> subtrees_of(const ChannelGroups& channels, Interval contracted);

/// Output channels of the groups of input channels `inputs`.
Interval outputs_of(const ChannelGroups& channels, Interval inputs);

}  // namespace parconv
