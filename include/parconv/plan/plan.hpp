// A plan: how each operator of a network is split over ranks.
#pragma once

#include <array>
#include <vector>

#include "parconv/geometry/cuts.hpp"
#include "parconv/geometry/grid.hpp"
#include "parconv/model/network.hpp"
#include "parconv/plan/split.hpp"

namespace parconv {

/// How one node is split.
struct NodePlan {
  /// Ranks [first_rank, first_rank + size) and how they are arranged over (n, f, c, d, h, w).
  Grid grid{};
  /// Pipeline stage: 0 works on micro-batch m + 1 while 1 works on m. Never decreases from a node to its consumers.
  int stage = 0;
  /// Cuts of the owned output box along n, c, d, h, w; see num_owned_parts for how many pieces each has.
  std::array<Cuts, num_axes> cuts{};

  friend bool operator==(const NodePlan&, const NodePlan&) = default;
};

/// How every node of a network is split; small and comparable.
struct Plan {
  int num_ranks = 1;
  int num_stages = 1;
  std::vector<NodePlan> nodes{};

  friend bool operator==(const Plan&, const Plan&) = default;
};

/// The grid axes that cut output axis `axis` of a node, slowest first. n, d, h, w cut their own axis; channels are cut by f, then
/// by c (the owners of sums), then by the spatial parts that the node contracts.
std::vector<GridAxis> owned_by(const Network& network, const Node& node, Axis axis);

/// Number of pieces of output axis `axis`: the product of the grid's parts along owned_by.
int num_owned_parts(const Network& network, const Node& node, const Grid& grid, Axis axis);

/// Equal blocks; channels of grouped convolutions by whole groups where there are enough, else in multiples of 16 where every
/// part gets 16.
std::array<Cuts, num_axes> default_cuts(const Network& network, const Node& node, const Grid& grid);

/// The grid that one operator gets from a product asked for the whole network: parts along d, h or w of an operator without
/// extent there (a Gemm, whatever comes after a global pooling) become filter parts, which keeps the bits and divides the
/// weights.
GridVector parts_for_node(const Network& network, const Node& node, const GridVector& parts);

/// The stage of every node: `stages` consecutive runs of the topological order, about equal in flops.
std::vector<int> balanced_stages(const Network& network, int stages);

/// A plan from a split. Stage s has ranks [s * q, (s + 1) * q), q = product of the parts. For `auto`:
/// batch parts if there are at least as many samples as ranks (n = num_ranks); otherwise, per operator, rows (h; d for 3-D data)
/// where every rank gets at least 4 of them, then filters where every rank gets at least 16 channels, then a grid h x w with at
/// least 4 x 4 pixels a rank, then rows. Throws Error(Usage) if the split is not for `num_ranks` or asks for more stages than
/// there are nodes.
Plan make_plan(const Network& network, const Split& split, int num_ranks);

/// Throws Error(BadData) naming the node if a plan does not fit the network: wrong number of nodes, ranks outside the job, cuts
/// that do not cover the output, a stage before that of a producer.
void validate(const Plan& plan, const Network& network);

}  // namespace parconv
