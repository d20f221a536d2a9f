// SPDX-License-Identifier: Apache-2.0
// The boxes of a node under a plan: owned, computed, contracted and needed, for every rank.
#pragma once

#include <vector>

#include "parconv/geometry/distribution.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {

/// Order of sums over divided input channels.
enum class ReduceMode {
  Fast,    ///< every rank sums its part of the contracted axes at once
  Ordered  ///< fixed blocks of input channels, added in index order: the same bits for every number of ranks
};

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
  /// Fixed blocks of input channels, summed separately and added in order; empty unless ReduceMode::Ordered applies.
  std::vector<Interval> ordered_blocks{};

  /// The work region of `rank`; `computed` is empty if the rank sums over nothing.
  WorkRegion work(int rank) const;
  /// The work region of `rank` for each fixed block, in order; a single entry, the whole work region, without fixed blocks.
  std::vector<WorkRegion> work_regions_in_order(int rank) const;
};

/// Maximum number of blocks of input channels in ReduceMode::Ordered; further ranks along c are idle.
inline constexpr int max_ordered_blocks = 8;

/// Computes the boxes of one node for all ranks. Local and pure. Precondition: `plan` is an entry of a valid plan.
Placement place(const Network& network, const Node& node, const NodePlan& plan, ReduceMode mode);

}  // namespace parconv
