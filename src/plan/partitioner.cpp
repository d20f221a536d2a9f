// SPDX-License-Identifier: Apache-2.0
#include "parconv/plan/partitioner.hpp"

#include "parconv/core/error.hpp"
#include "parconv/core/overloaded.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {
namespace {

void check_split(const Network& network, const Split& split, int num_ranks) {
  if (split.num_ranks() != num_ranks)
    throw Error(ExitCode::Usage,
                concat("split ", to_string(split), " needs ", split.num_ranks(), " ranks, but the job has ", num_ranks),
                concat("start ", split.num_ranks(), " ranks with mpirun -np ", split.num_ranks(), ", or change the split"));
  if (static_cast<std::size_t>(split.stages) > network.nodes.size())
    throw Error(ExitCode::Usage,
                concat("split ", to_string(split), " asks for ", split.stages, " pipeline stages, but the network has ",
                       network.nodes.size(), " operators after fusion"),
                concat("ask for at most ", network.nodes.size(), " stages and divide the rest along another axis"));
}

Partition partition_of(const Network& network, const Split& split) {
  const std::vector<int> stages = balanced_stages(network, split.stages);
  const int ranks_per_stage = Grid{.parts = split.parts}.size();
  Partition partition{.num_stages = split.stages};
  for (std::size_t id = 0; id < network.nodes.size(); ++id) {
    const GridVector parts = parts_for_node(network, network.nodes[id], split.parts);
    partition.nodes.push_back({.grid = {.first_rank = stages[id] * ranks_per_stage, .parts = parts}, .stage = stages[id]});
  }
  return partition;
}

}  // namespace

Partitioner split_partitioner(const Split& split) {
  return [split](const Network& network, int num_ranks) {
    check_split(network, split, num_ranks);
    return partition_of(network, split);
  };
}

Partitioner plan_partitioner(Plan plan) {
  return [plan = std::move(plan)](const Network& network, int num_ranks) {
    if (plan.num_ranks != num_ranks)
      throw Error(ExitCode::Usage, concat("the plan is for ", plan.num_ranks, " ranks, but the job has ", num_ranks),
                  concat("start ", plan.num_ranks, " ranks, or write a plan for ", num_ranks, " with --dry-run"));
    constexpr auto samples = static_cast<std::size_t>(Axis::N);
    Partition partition{.num_stages = plan.num_stages, .nodes = plan.nodes};
    for (std::size_t id = 0; id < std::min(partition.nodes.size(), network.nodes.size()); ++id) {
      Cuts& cuts = partition.nodes[id].cuts[samples];
      const bool has_other_samples = !cuts.empty() && cuts.back() != network.value(network.nodes[id].output).extents[Axis::N];
      if (has_other_samples) cuts.clear();
    }
    return partition;
  };
}

Partitioner partitioner_of(const SplitRequest& request) {
  return std::visit(
      Overloaded{[](const Split& split) { return split_partitioner(split); }, [](SplitPolicy) { return rule_partitioner(); }},
      request);
}

}  // namespace parconv
