// SPDX-License-Identifier: Apache-2.0
// The boxes of a node under a plan: owned, computed, contracted and needed, for every rank.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "parconv/geometry/distribution.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {

/// All boxes of one node, for all ranks at once.
struct Placement {
  Grid grid{};
  int stage = 0;
  Distribution owned{};               ///< of the output; disjoint
  Distribution computed{};            ///< of the output; equals `owned` unless `is_summed`
  Distribution contracted{};          ///< of the contracted index space (the first input's)
  std::vector<Distribution> needs{};  ///< of each input of the node, the residual included
  /// The owner has to add up contributions of several work regions.
  bool is_summed = false;
  /// Some sum is cut inside a leaf, so the last bits of results may differ from one rank's.
  bool is_cut_off_leaves = false;
  /// Of a convolution.
  std::optional<ChannelGroups> channels{};

  /// The work region of `rank`; `computed` is empty if the rank sums over nothing.
  WorkRegion work(int rank) const;
  /// The work regions whose partial sums `rank` sends to the owners, in index order: one for each node of the tree of leaves that
  /// it sums over, or the whole work region if sums are cut off the leaves.
  std::vector<WorkRegion> partial_sums(int rank) const;
  /// The joins of partial sums over these intervals of the contracted channels, each of one entry of partial_sums that has the
  /// same output channels; none: in order. See Reduce.
  std::vector<int> joins(std::span<const Interval> contracted_channels) const;
};

/// Computes the boxes of one node for all ranks. Local and pure. Precondition: `plan` is an entry of a valid plan.
Placement place(const Network& network, const Node& node, const NodePlan& plan);

}  // namespace parconv
