// SPDX-License-Identifier: Apache-2.0
// The planning seam: a partitioner chooses ranks and grid of every node; make_plan completes and validates its choice.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "parconv/geometry/cuts.hpp"
#include "parconv/geometry/grid.hpp"
#include "parconv/model/network.hpp"
#include "parconv/plan/split.hpp"

namespace parconv {

/// How one node is split.
struct NodePlan {
  /// Ranks [first_rank, first_rank + size), arranged over (n, f, c, d, h, w).
  Grid grid{};
  /// Pipeline stage: 0 works on micro-batch m + 1 while 1 works on m. Never decreases from a node to its consumers.
  int stage = 0;
  /// Cuts of the owned output box along n, c, d, h, w; num_owned_parts is the number of parts along each.
  std::array<Cuts, num_axes> cuts{};
  /// Cuts of the input channels that the parts of c sum over; empty: by the rule of docs/arithmetic.md, at leaves where there are
  /// enough. Only for operators with one group, or with one filter part.
  Cuts ic_cuts{};

  friend bool operator==(const NodePlan&, const NodePlan&) = default;
};

/// The decisions of a partitioner, one entry per node. An axis with empty cuts gets those of default_cuts.
struct Partition {
  int num_stages = 1;
  std::vector<NodePlan> nodes{};

  friend bool operator==(const Partition&, const Partition&) = default;
};

/// Partitions a network over a number of ranks. Local and pure: equal arguments give equal partitions on every rank.
using Partitioner = std::function<Partition(const Network& network, int num_ranks)>;

/// Uses the same product for every node; see parts_for_node for nodes without extent along an axis. Stage s has the ranks
/// [s * q, (s + 1) * q), q = product of the parts. Example: "stages=2,h=3" on 6 ranks: stage 1 has ranks 3, 4 and 5.
/// The partitioner throws Error(Usage) if the split is for another number of ranks or has more stages than there are nodes.
Partitioner split_partitioner(const Split& split);

/// A written rule (docs/auto-rule.md): batch parts if there are at least as many samples as ranks; otherwise, per operator, rows
/// (h; d for 3-D data) where every rank gets at least 4 of them, then filters where every rank gets at least 16 channels, then a
/// grid h x w with at least 4 x 4 pixels a rank, then rows. One stage.
Partitioner rule_partitioner();

/// The partitioner of a request: rule_partitioner for a policy, split_partitioner for a split.
Partitioner partitioner_of(const SplitRequest& request);

}  // namespace parconv
