// SPDX-License-Identifier: Apache-2.0
// Kinds and groups of communications of literal programs, all of which are proven.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "parconv/program/compile.hpp"
#include "support/network_builder.hpp"
#include "support/proven.hpp"

namespace parconv::test {
namespace {

using testing::ElementsAre;
using Ranks = std::vector<int>;

const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
const Window same{{WindowAxis{}, three, three}};

/// Two convolutions, the second with `window`.
Network two_convolutions(const Window& window, index_t middle = 64, index_t rows = 14) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId value = builder.conv(builder.input({{1, 64, 1, rows, 14}}), {.oc = middle, .window = same});
  return builder.build({builder.conv(value, {.oc = 64, .window = window})});
}

std::vector<Program> compiled(const Network& network, const Plan& plan, const CompileOptions& options = {}) {
  std::vector<Program> programs = compile_all(network, lay_out(network, plan, options));
  EXPECT_TRUE(are_proven(network, programs, options));
  return programs;
}

std::vector<Program> compiled(const Network& network, const char* split, int num_ranks, const CompileOptions& options = {}) {
  return compiled(network, make_plan(network, parse_split(split, num_ranks, 2), num_ranks), options);
}

/// A plan with a grid, first rank and stage of its own for every node.
struct NodeGrid {
  GridVector parts{{1, 1, 1, 1, 1, 1}};
  int first_rank = 0;
  int stage = 0;
};
Plan plan_of(const Network& network, int num_ranks, const std::vector<NodeGrid>& grids) {
  Plan plan{.num_ranks = num_ranks};
  for (std::size_t k = 0; k < grids.size(); ++k) {
    NodePlan node{.grid = {.first_rank = grids[k].first_rank, .parts = grids[k].parts}, .stage = grids[k].stage};
    node.cuts = default_cuts(network, network.nodes[k], node.grid);
    plan.nodes.push_back(node);
    plan.num_stages = std::max(plan.num_stages, grids[k].stage + 1);
  }
  return plan;
}

/// The first communication of a rank in the global order.
const Communication& first_of(const std::vector<Program>& programs, int rank) {
  const auto& all = programs[static_cast<std::size_t>(rank)].communications;
  EXPECT_FALSE(all.empty());
  return *std::min_element(all.begin(), all.end(),
                           [](const Communication& a, const Communication& b) { return a.order < b.order; });
}

std::vector<Interval> parts_along(const CommGroup& group, Axis axis) {
  std::vector<Interval> parts;
  for (const Box& part : group.parts) parts.push_back(part[axis]);
  return parts;
}

/// Demands that all members record the same group, with these parts along one axis.
void expect_group(const std::vector<Program>& programs, CommKind kind, int root, const Ranks& ranks, Axis axis,
                  const std::vector<Interval>& parts) {
  for (const int rank : ranks) {
    SCOPED_TRACE(rank);
    const Communication& communication = first_of(programs, rank);
    ASSERT_NE(communication.group, nullptr);
    const CommGroup& group = *communication.group;
    EXPECT_EQ(name_of(group.kind), name_of(kind));
    EXPECT_EQ(group.root, root);
    EXPECT_EQ(group.ranks, ranks);
    EXPECT_EQ(parts_along(group, axis), parts);
  }
}

TEST(Groups, ChannelsAreGathered) {
  const auto programs = compiled(two_convolutions(same), "f=4", 4);
  expect_group(programs, CommKind::Allgather, -1, {0, 1, 2, 3}, Axis::C, {{0, 16}, {16, 32}, {32, 48}, {48, 64}});
  EXPECT_EQ(first_of(programs, 0).group, first_of(programs, 3).group) << "shared, not copied";
}

TEST(Groups, ChannelsAreGatheredInsideAProduct) {
  // Ranks are (f, h), h fastest: those with the upper rows are 0, 2, 4, 6.
  for (const Window& window : {Window{}, same}) {
    const auto programs = compiled(two_convolutions(window), "h=2,f=4", 8);
    expect_group(programs, CommKind::Allgather, -1, {0, 2, 4, 6}, Axis::C, {{0, 16}, {16, 32}, {32, 48}, {48, 64}});
    expect_group(programs, CommKind::Allgather, -1, {1, 3, 5, 7}, Axis::C, {{0, 16}, {16, 32}, {32, 48}, {48, 64}});
    expect_group(programs, CommKind::Allgather, -1, {1, 3, 5, 7}, Axis::H, std::vector<Interval>(4, {7, 14}));
    // The halo row of a 3x3 window comes from the four other ranks, in messages of its own.
    EXPECT_EQ(first_of(programs, 0).receives.size(), window == same ? 7U : 3U);
  }
}

TEST(Groups, PartsMayBeUnequalOrEmpty) {
  expect_group(compiled(two_convolutions(same, 40), "f=3", 3), CommKind::Allgather, -1, {0, 1, 2}, Axis::C,
               {{0, 14}, {14, 28}, {28, 40}});
  const auto programs = compiled(two_convolutions(same, 3), "f=4", 4);
  const CommGroup& group = *first_of(programs, 0).group;
  EXPECT_EQ(group.kind, CommKind::Allgather);
  EXPECT_THAT(group.ranks, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(std::count(group.parts.begin(), group.parts.end(), Box{}), 1) << "three channels on four ranks";
}

TEST(Groups, PartialSumsAreReducedAndScattered) {
  expect_group(compiled(two_convolutions(same), "c=4", 4), CommKind::ReduceScatter, -1, {0, 1, 2, 3}, Axis::C,
               {{0, 16}, {16, 32}, {32, 48}, {48, 64}});
  const auto programs = compiled(two_convolutions(same), "h=2,c=2", 4);
  expect_group(programs, CommKind::ReduceScatter, -1, {0, 2}, Axis::C, {{0, 32}, {32, 64}});
  expect_group(programs, CommKind::ReduceScatter, -1, {1, 3}, Axis::C, {{0, 32}, {32, 64}});
}

TEST(Groups, ASumOfOneOwnerIsReduced) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const Network network = builder.build({builder.global_average(builder.conv(builder.input({{1, 4, 1, 3, 14}}), {.oc = 1}))});
  expect_group(compiled(network, "h=3", 3), CommKind::Reduce, 0, {0, 1, 2}, Axis::C, {{0, 1}, {}, {}});
}

TEST(Groups, OutputsAreGatheredAtTheRoot) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const Network network = builder.build({builder.conv(builder.input({{1, 64, 1, 14, 14}}), {.oc = 64, .window = same})});
  const auto programs = compiled(network, "h=4", 4, {.store = {.kind = StoreKind::Root}});
  expect_group(programs, CommKind::Gather, 0, {0, 1, 2, 3}, Axis::H, {{0, 4}, {4, 8}, {8, 12}, {12, 14}});
  // Ranks without rows send nothing and are no members.
  const auto more = compiled(network, "h=20", 20, {.store = {.kind = StoreKind::Root}});
  EXPECT_EQ(first_of(more, 0).group->ranks.size(), 14U);
  EXPECT_TRUE(more[17].communications.empty());
}

/// A value of rank 0 alone, used under a split by all ranks, or in a later stage by others.
Network used_elsewhere(const Window& window) { return two_convolutions(window, 64, 16); }

TEST(Groups, ARootScatters) {
  const std::vector<Interval> quarters{{0, 4}, {4, 8}, {8, 12}, {12, 16}};
  const Network network = used_elsewhere({});
  expect_group(compiled(network, plan_of(network, 4, {{}, {.parts = {{1, 1, 1, 1, 4, 1}}}})), CommKind::Scatter, 0, {0, 1, 2, 3},
               Axis::H, quarters);
  const Plan staged = plan_of(network, 5, {{}, {.parts = {{1, 1, 1, 1, 4, 1}}, .first_rank = 1, .stage = 1}});
  expect_group(compiled(network, staged), CommKind::Scatter, 0, {0, 1, 2, 3, 4}, Axis::H,
               {{}, {0, 4}, {4, 8}, {8, 12}, {12, 16}});
}

TEST(Groups, OverlappingNeedsAreNoScatter) {
  const Network network = used_elsewhere(same);
  const auto programs = compiled(network, plan_of(network, 4, {{}, {.parts = {{1, 1, 1, 1, 4, 1}}}}));
  EXPECT_EQ(first_of(programs, 0).kind(), CommKind::PointToPoint);
}

TEST(Groups, ARootBroadcasts) {
  const Network network = used_elsewhere(same);
  expect_group(compiled(network, plan_of(network, 4, {{}, {.parts = {{1, 4, 1, 1, 1, 1}}}})), CommKind::Broadcast, 0,
               {0, 1, 2, 3}, Axis::C, {{0, 64}, {}, {}, {}});
  const Plan staged = plan_of(network, 4, {{.first_rank = 3}, {.parts = {{1, 3, 1, 1, 1, 1}}, .stage = 1}});
  expect_group(compiled(network, staged), CommKind::Broadcast, 3, {0, 1, 2, 3}, Axis::C, {{}, {}, {}, {0, 64}});
}

TEST(Groups, AStageGathersForOneRank) {
  const Network network = used_elsewhere(same);
  const Plan staged = plan_of(network, 5, {{.parts = {{1, 1, 1, 1, 4, 1}}, .first_rank = 1}, {.stage = 1}});
  expect_group(compiled(network, staged), CommKind::Gather, 0, {0, 1, 2, 3, 4}, Axis::H, {{}, {0, 4}, {4, 8}, {8, 12}, {12, 16}});
}

TEST(Groups, MessagesOfOneRankToAnotherHaveNone) {
  const Network network = used_elsewhere(same);
  for (const Plan& plan : {plan_of(network, 2, {{}, {.first_rank = 1, .stage = 1}}),  // a pipeline
                           plan_of(network, 2, {{}, {.first_rank = 1}}),              // a move
                           plan_of(network, 4,
                                   {{.parts = {{1, 1, 1, 1, 2, 1}}},  // many to many
                                    {.parts = {{1, 2, 1, 1, 1, 1}}, .first_rank = 2}}),
                           plan_of(network, 4,
                                   {{.parts = {{1, 1, 1, 1, 4, 1}}},  // halos
                                    {.parts = {{1, 1, 1, 1, 4, 1}}}}),
                           plan_of(network, 4,
                                   {{.parts = {{1, 4, 1, 1, 1, 1}}},  // all to all
                                    {.parts = {{1, 1, 1, 1, 4, 1}}}})})
    for (const Program& program : compiled(network, plan))
      for (const Communication& communication : program.communications)
        EXPECT_EQ(name_of(communication.kind()), "point to point");
}

TEST(Groups, AGroupOfOneMovesNothing) {
  for (const Program& program : compiled(two_convolutions(same), "f=1", 1)) EXPECT_TRUE(program.communications.empty());
}

TEST(Groups, OfStripsHaveThePartsOfTheStrip) {
  const auto programs = compiled(two_convolutions(same, 64, 16), "f=4", 4, {.overlap = Overlap::On});
  std::vector<Interval> rows;
  for (const Communication& strip : programs[2].communications) {
    EXPECT_EQ(strip.kind(), CommKind::Allgather);
    EXPECT_EQ(parts_along(*strip.group, Axis::C), (std::vector<Interval>{{0, 16}, {16, 32}, {32, 48}, {48, 64}}));
    rows.push_back(strip.group->parts[2][Axis::H]);
  }
  EXPECT_THAT(rows, ElementsAre(Interval{0, 4}, Interval{4, 8}, Interval{8, 12}, Interval{12, 16}));
}

/// 14 and 2 rows in 4 strips: the second rank has a row of the first two.
TEST(Groups, OfAStripMayHaveThePartOfOneRank) {
  const Network network = used_elsewhere(same);
  Plan plan = plan_of(network, 2, {{.parts = {{1, 1, 1, 1, 2, 1}}}, {.parts = {{1, 2, 1, 1, 1, 1}}}});
  plan.nodes[0].cuts[static_cast<std::size_t>(Axis::H)] = {0, 14, 16};
  const auto programs = compiled(network, plan, {.overlap = Overlap::On});
  std::vector<std::string_view> kinds;
  for (const Communication& strip : programs[0].communications) kinds.push_back(name_of(strip.kind()));
  EXPECT_THAT(kinds, ElementsAre("allgather", "allgather", "broadcast", "broadcast"));
}

TEST(Groups, PartsOfAConcatAreInIndicesOfTheirValue) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const ValueId src = builder.input({{1, 16, 1, 14, 14}});
  const ValueId a = builder.conv(src, {.oc = 32}), b = builder.conv(src, {.oc = 32});
  const Network network = builder.build({builder.concat({a, b})});
  const Plan plan = plan_of(network, 2, {{.parts = {{1, 2, 1, 1, 1, 1}}}, {.parts = {{1, 2, 1, 1, 1, 1}}}, {}});
  const auto programs = compiled(network, plan, {.needs_dense = false});
  ASSERT_EQ(programs[1].communications.size(), 2U);
  for (const Communication& communication : programs[1].communications) {
    EXPECT_EQ(communication.kind(), CommKind::Gather);
    EXPECT_EQ(parts_along(*communication.group, Axis::C), (std::vector<Interval>{{0, 16}, {16, 32}}));
  }
}

}  // namespace
}  // namespace parconv::test
