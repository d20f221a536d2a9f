// SPDX-License-Identifier: Apache-2.0
#include "support/random_plan.hpp"

#include <algorithm>

namespace parconv::test {
namespace {

Grid random_grid(Random& random, Interval ranks) {
  Grid grid;
  int left = static_cast<int>(ranks.size());
  for (GridAxis axis : all_grid_axes) {
    grid.parts[axis] = static_cast<int>(random.integer(1, left));
    left /= grid.parts[axis];
  }
  grid.first_rank = static_cast<int>(random.integer(ranks.lo, ranks.hi - grid.size()));
  return grid;
}

void shuffle(Random& random, Cuts& cuts) {
  for (std::size_t k = 1; k + 1 < cuts.size(); ++k) cuts[k] = random.integer(cuts[k - 1], cuts.back());
}

/// Cuts of the input channels of operators that may have them; otherwise none.
Cuts random_ic_cuts(Random& random, const Node& node, const Grid& grid) {
  const auto channels = channel_groups(node.op);
  if (!channels || (channels->groups > 1 && grid.parts[GridAxis::F] > 1)) return {};
  Cuts cuts = block_cuts(channels->groups * channels->ic, grid.parts[GridAxis::C]);
  shuffle(random, cuts);
  return cuts;
}

}  // namespace

Plan random_plan(const Network& network, Random& random, int num_ranks, int num_stages, bool has_odd_cuts) {
  const std::vector<Interval> anywhere(network.nodes.size(), Interval{0, num_ranks});
  return random_plan(network, random, num_ranks, num_stages, has_odd_cuts, anywhere);
}

Plan random_plan(const Network& network, Random& random, int num_ranks, int num_stages, bool has_odd_cuts,
                 std::span<const Interval> ranks_of_nodes) {
  Plan plan{.num_ranks = num_ranks, .num_stages = num_stages};
  const auto producers = producers_of_values(network);
  for (const Node& node : network.nodes) {
    NodePlan node_plan{.grid = random_grid(random, ranks_of_nodes[plan.nodes.size()])};
    for (ValueId input : node.inputs)
      if (const NodeId producer = producers[static_cast<std::size_t>(input)]; producer >= 0)
        node_plan.stage = std::max(node_plan.stage, plan.nodes[static_cast<std::size_t>(producer)].stage);
    if (random.once_in(3)) node_plan.stage = static_cast<int>(random.integer(node_plan.stage, num_stages - 1));
    node_plan.cuts = default_cuts(network, node, node_plan.grid);
    if (has_odd_cuts && random.once_in(3))
      for (Cuts& cuts : node_plan.cuts) shuffle(random, cuts);
    if (has_odd_cuts && random.once_in(3)) node_plan.ic_cuts = random_ic_cuts(random, node, node_plan.grid);
    plan.nodes.push_back(node_plan);
  }
  validate(plan, network);
  return plan;
}

}  // namespace parconv::test
