// SPDX-License-Identifier: Apache-2.0
#include "parconv/plan/partitioner.hpp"

#include <gmock/gmock.h>

#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {
namespace {

using parconv::test::NamedNetworkBuilder;
using ::testing::HasSubstr;

const Cuts& cuts_of(const NodePlan& plan, Axis axis) { return plan.cuts[static_cast<std::size_t>(axis)]; }

Network two_convolutions(index_t samples = 4) {
  NamedNetworkBuilder build;
  const ValueId middle = build.conv("middle", build.input("x", {{samples, 16, 1, 12, 12}}), 16);
  return build.build({build.conv("out", middle, 16)});
}

/// The error of make_plan for an invalid partition.
std::string refusal(const Partitioner& partitioner, int num_ranks, ExitCode code) {
  try {
    make_plan(two_convolutions(), partitioner, num_ranks);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "no error";
}

/// The first node on all ranks by rows, with the caller's cuts; the second on the last rank alone.
Partitioner hand_written(const Cuts& rows) {
  return [rows](const Network&, int num_ranks) {
    NodePlan first{.grid = {.parts = {{1, 1, 1, 1, num_ranks, 1}}}};
    first.cuts[static_cast<std::size_t>(Axis::H)] = rows;
    return Partition{.nodes = {first, {.grid = {.first_rank = num_ranks - 1}}}};
  };
}

TEST(Partitioner, DecisionsOfACallerAreKeptAndMissingCutsAdded) {
  const Plan plan = make_plan(two_convolutions(), hand_written({0, 2, 12}), 2);
  EXPECT_EQ(plan.num_ranks, 2);
  EXPECT_EQ(plan.num_stages, 1);
  EXPECT_EQ(cuts_of(plan.nodes[0], Axis::H), (Cuts{0, 2, 12}));
  EXPECT_EQ(cuts_of(plan.nodes[0], Axis::W), (Cuts{0, 12}));
  EXPECT_EQ(plan.nodes[1].grid, (Grid{.first_rank = 1}));
  EXPECT_EQ(cuts_of(plan.nodes[1], Axis::H), (Cuts{0, 12}));
  EXPECT_EQ(cuts_of(make_plan(two_convolutions(), hand_written({}), 3).nodes[0], Axis::H), (Cuts{0, 4, 8, 12}));
}

TEST(Partitioner, RefusesPartitionsThatDoNotFit) {
  EXPECT_THAT(refusal(hand_written({0, 2, 11}), 2, ExitCode::BadData), HasSubstr("'middle' (Conv): the cuts along h (0 2 11)"));
  const auto returns = [](Partition partition) { return [partition](const Network&, int) { return partition; }; };
  EXPECT_THAT(refusal(returns({}), 2, ExitCode::BadData), HasSubstr("the plan is for 0 operators, but the network has 2"));
  EXPECT_THAT(refusal(returns({.num_stages = 0, .nodes = {{}, {}}}), 2, ExitCode::BadData), HasSubstr("must be at least 1"));
  const NodePlan huge{.grid = {.parts = {{1 << 20, 1 << 20, 1 << 20, 1, 1, 1}}}};
  EXPECT_THAT(refusal(returns({.nodes = {huge, {}}}), 2, ExitCode::BadData), HasSubstr("does not fit the ranks 0 to 1"))
      << "before cuts of that size are made";
  EXPECT_THROW(make_plan(two_convolutions(), Partitioner{}, 2), Bug);
}

TEST(Partitioner, RequestsNameTheirPartitioners) {
  const Network network = two_convolutions(1);
  const Plan by_rule = make_plan(network, rule_partitioner(), 3);
  EXPECT_EQ(concat(by_rule.nodes[0].grid), "h=3");
  EXPECT_EQ(make_plan(network, SplitPolicy::Rule, 3), by_rule);
  EXPECT_EQ(make_plan(network, SplitPolicy::Auto, 3), by_rule) << "until a planner exists";
  const Split split{.parts = {{1, 1, 1, 1, 1, 3}}};
  EXPECT_EQ(make_plan(network, split, 3), make_plan(network, split_partitioner(split), 3));
  EXPECT_EQ(concat(make_plan(network, split, 3).nodes[0].grid), "w=3");
}

TEST(PlanPartitioner, ReturnsThePlan) {
  const Network network = two_convolutions();
  for (const char* spec : {"h=4", "n=2,f=2", "stages=2,w=2", "rule"}) {
    const Plan plan = make_plan(network, parse_split(spec, 4, 2), 4);
    EXPECT_EQ(make_plan(network, plan_partitioner(plan), 4), plan) << spec;
  }
  const Plan uneven = make_plan(network, hand_written({0, 2, 12}), 2);
  EXPECT_EQ(make_plan(network, plan_partitioner(uneven), 2), uneven);
}

TEST(PlanPartitioner, KeepsItsGridsForAnotherNumberOfSamples) {
  // The rule would choose n=4 for 4 samples and h=4 for 3: the last micro-batch must be split as those before it.
  const Plan plan = make_plan(two_convolutions(4), rule_partitioner(), 4);
  ASSERT_EQ(concat(plan.nodes[0].grid), "n=4");
  const Plan rest = make_plan(two_convolutions(3), plan_partitioner(plan), 4);
  EXPECT_EQ(concat(rest.nodes[0].grid), "n=4");
  EXPECT_EQ(cuts_of(rest.nodes[0], Axis::N), (Cuts{0, 1, 2, 3, 3}));
}

TEST(PlanPartitioner, RefusesOtherNumbersOfRanksAndOtherNetworks) {
  const Plan plan = make_plan(two_convolutions(), parse_split("h=2", 2, 2), 2);
  EXPECT_EQ(refusal(plan_partitioner(plan), 3, ExitCode::Usage), "the plan is for 2 ranks, but the job has 3");
  Plan longer = plan;
  longer.nodes.push_back(longer.nodes.back());
  EXPECT_THAT(refusal(plan_partitioner(longer), 2, ExitCode::BadData), HasSubstr("the plan is for 3 operators"));
}

}  // namespace
}  // namespace parconv
