// SPDX-License-Identifier: Apache-2.0
// Branches of a network on disjoint ranks: they compute concurrently, and the concatenation gathers their results.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/distributed_run.hpp"
#include "parconv/program/compile.hpp"
#include "support/branches.hpp"
#include "support/proven.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

constexpr Extents image{{2, 3, 1, 9, 7}};

/// Splits branches along `axis` over disjoint ranks, and the trunk into rows over all ranks.
Plan branch_plan(const BranchedNetwork& branched, int num_ranks, GridAxis axis) {
  const std::vector<Interval> ranks = ranks_of_nodes(branched, num_ranks);
  Plan plan{.num_ranks = num_ranks};
  for (std::size_t k = 0; k < branched.network.nodes.size(); ++k) {
    const bool is_trunk = branched.branch_of_node[k] == BranchedNetwork::trunk;
    Grid grid{.first_rank = static_cast<int>(ranks[k].lo)};
    grid.parts[is_trunk ? GridAxis::H : axis] = static_cast<int>(ranks[k].size());
    plan.nodes.push_back({.grid = grid, .cuts = default_cuts(branched.network, branched.network.nodes[k], grid)});
  }
  validate(plan, branched.network);
  return plan;
}

constexpr index_t micro_batches = 2;

TEST(Branches, OfInceptionBlocksEqualOneRank) {
  const BranchedNetwork branched = inception_network(3, Weights::SmallIntegers, image);
  Random random(17);
  for (GridAxis axis : all_grid_axes)  // with 8 or more ranks, several per branch
    for (Overlap overlap : {Overlap::Off, Overlap::On}) {
      SCOPED_TRACE(name_of(axis));
      const CompileOptions options{.overlap = overlap, .store = {.kind = StoreKind::Root}};
      const Plan plan = branch_plan(branched, num_ranks(), axis);
      expect_equal_to_oracle({branched.network, plan, options, micro_batches}, random);
      if (HasFatalFailure()) return;
    }
}

TEST(Branches, OnRandomGridsEqualOneRank) {
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 41 + 13);
    const BranchedNetwork branched = random_branched_network(seed, Weights::SmallIntegers);
    const std::vector<Interval> ranks = ranks_of_nodes(branched, num_ranks());
    const Plan plan = random_plan(branched.network, random, num_ranks(), static_cast<int>(random.integer(1, 3)), true, ranks);
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = random.once_in(2)};
    expect_equal_to_oracle({branched.network, plan, options, micro_batches}, random);
    if (HasFatalFailure()) return;
  }
}

std::vector<Program> programs_of(const BranchedNetwork& branched, const Plan& plan) {
  return compile_all(branched.network, lay_out(branched.network, plan, {.overlap = Overlap::On}));
}

/// A rank computes the trunk and its own branches only.
TEST(Branches, AreComputedByTheirRanksOnly) {
  const BranchedNetwork branched = inception_network(3, Weights::SmallIntegers, image);
  for (const int ranks : {4, 8, 12}) {
    const std::vector<Interval> owners = ranks_of_nodes(branched, ranks);
    const std::vector<Program> programs = programs_of(branched, branch_plan(branched, ranks, GridAxis::H));
    ASSERT_TRUE(are_proven(branched.network, programs));
    for (const Program& program : programs)
      for (const Step& step : program.steps) {
        if (!std::holds_alternative<Compute>(step.action)) continue;
        EXPECT_TRUE(owners[static_cast<std::size_t>(step.node)].contains({program.rank, program.rank + 1}))
            << "rank " << program.rank << " of " << ranks << ", node " << step.node;
      }
  }
}

/// Values inside a branch are sent between its ranks only; here each branch has one rank, so none is sent.
TEST(Branches, SendNothingToEachOther) {
  const BranchedNetwork branched = inception_network(3, Weights::SmallIntegers, image);
  const auto producers = producers_of_values(branched.network);
  const auto is_joined = [&](ValueId value) {
    return std::ranges::any_of(branched.network.nodes, [&](const Node& node) {
      return std::holds_alternative<Concat>(node.op) && std::ranges::count(node.inputs, value) > 0;
    });
  };
  int joined = 0;
  for (const Program& program : programs_of(branched, branch_plan(branched, 4, GridAxis::H)))
    for (const Communication& communication : program.communications) {
      const NodeId producer = producers[static_cast<std::size_t>(communication.value)];
      if (producer < 0 || branched.branch_of(producer) == BranchedNetwork::trunk) continue;
      EXPECT_TRUE(is_joined(communication.value)) << "value " << communication.value << " on rank " << program.rank;
      ++joined;
    }
  EXPECT_GT(joined, 0);
}

}  // namespace
}  // namespace parconv::test
