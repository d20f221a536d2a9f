// SPDX-License-Identifier: Apache-2.0
// A plan: how each operator of a network is split over ranks.
#pragma once

#include <array>
#include <vector>

#include "parconv/plan/partitioner.hpp"

namespace parconv {

/// The split of every node of a network; small and comparable.
struct Plan {
  int num_ranks = 1;
  int num_stages = 1;
  std::vector<NodePlan> nodes{};

  friend bool operator==(const Plan&, const Plan&) = default;
};

/// The grid axes that cut output axis `axis` of a node, slowest first. n, d, h, w cut their own axis; channels are cut by f, then
/// by c (the owners of sums), then by the spatial parts that the node contracts. Local.
std::vector<GridAxis> owned_by(const Network& network, const Node& node, Axis axis);

/// Number of parts of output axis `axis`: the product of the grid's parts along owned_by. Example: f=2,c=3 cuts the channels of
/// a convolution into 6.
int num_owned_parts(const Network& network, const Node& node, const Grid& grid, Axis axis);

/// Cuts into equal blocks; channels of grouped convolutions by whole groups where there are enough, else in multiples of 16 where
/// every part gets 16. Local.
std::array<Cuts, num_axes> default_cuts(const Network& network, const Node& node, const Grid& grid);

/// The grid of one operator under a split of the whole network. Parts along d, h or w of an operator without extent there (a
/// Gemm, or any operator after a global pooling) become filter parts, which keeps the bits and divides the weights. Example:
/// "h=2,w=2" is f=4 for a Gemm.
GridVector parts_for_node(const Network& network, const Node& node, const GridVector& parts);

/// The stage of every node: `stages` consecutive runs of the topological order with the smallest possible maximum of flops.
std::vector<int> balanced_stages(const Network& network, int stages);

/// Calls a partitioner, fills in empty cuts with default_cuts, and validates the plan. Local and pure. Throws Error(BadData) as
/// `validate` does, and the errors of the partitioner.
Plan make_plan(const Network& network, const Partitioner& partitioner, int num_ranks);

/// The plan of partitioner_of(request).
Plan make_plan(const Network& network, const SplitRequest& request, int num_ranks);

/// Repeats an existing plan for its network, or for the same network with another number of samples: the same grids, stages and
/// cuts, but new cuts of samples where their number differs. The partitioner throws Error(Usage) for another number of ranks
/// than the plan's.
Partitioner plan_partitioner(Plan plan);

/// Checks that a plan fits a network. Local. Throws Error(BadData) naming the node for a wrong number of nodes, ranks outside the
/// job, cuts that do not cover the output, or a stage before that of a producer.
void validate(const Plan& plan, const Network& network);

}  // namespace parconv
