// SPDX-License-Identifier: Apache-2.0
#include "parconv/plan/plan.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using parconv::test::mean_over_space;
using parconv::test::NamedNetworkBuilder;
using parconv::test::sum_over_columns;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Cuts& cuts_of(const NodePlan& plan, Axis axis) { return plan.cuts[static_cast<std::size_t>(axis)]; }

/// The last stages of a residual network: 14 rows, 7 rows, global average, classifier.
Network tail_of_resnet() {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{1, 64, 1, 14, 14}});
  const ValueId rows14 = build.conv("rows14", x, 64);
  const ValueId rows7 = build.conv("rows7", rows14, 128, 3, 2);
  const ValueId mean = build.add("mean", mean_over_space(49), {rows7});
  return build.build({build.conv("fc", mean, 100, 1)});
}

Plan planned(const Network& network, std::string_view spec, int num_ranks) {
  const Plan plan = make_plan(network, parse_split(spec, num_ranks, 2), num_ranks);
  validate(plan, network);
  return plan;
}

TEST(MakePlan, RowsOfResnetOnFourRanks) {
  const Plan plan = planned(tail_of_resnet(), "h", 4);
  EXPECT_EQ(cuts_of(plan.nodes[0], Axis::H), (Cuts{0, 4, 8, 12, 14}));
  EXPECT_EQ(cuts_of(plan.nodes[1], Axis::H), (Cuts{0, 2, 4, 6, 7}));
  EXPECT_EQ(cuts_of(plan.nodes[0], Axis::C), (Cuts{0, 64}));
  EXPECT_EQ(concat(plan.nodes[2].grid), "h=4") << "rows are reduced where they are";
  EXPECT_EQ(cuts_of(plan.nodes[2], Axis::C), (Cuts{0, 32, 64, 96, 128})) << "the owners of the means";
  EXPECT_EQ(concat(plan.nodes[3].grid), "f=4") << "no rows are left";
  EXPECT_EQ(cuts_of(plan.nodes[3], Axis::C), (Cuts{0, 25, 50, 75, 100})) << "32, 32, 32, 4 would leave less than 16";
}

TEST(MakePlan, StagesHaveTheirOwnRanks) {
  const Plan plan = planned(tail_of_resnet(), "stages=2,h=2", 4);
  EXPECT_EQ(plan.num_stages, 2);
  EXPECT_EQ(plan.nodes.front().stage, 0);
  EXPECT_EQ(plan.nodes.front().grid, (Grid{.first_rank = 0, .parts = {{1, 1, 1, 1, 2, 1}}}));
  EXPECT_EQ(plan.nodes.back().stage, 1);
  EXPECT_EQ(plan.nodes.back().grid, (Grid{.first_rank = 2, .parts = {{1, 2, 1, 1, 1, 1}}}));
}

TEST(MakePlan, RefusesSplitsThatDoNotFit) {
  const Network network = tail_of_resnet();
  EXPECT_THROW(make_plan(network, Split{.parts = {{1, 1, 1, 1, 3, 1}}}, 4), Error);
  try {
    make_plan(network, Split{.stages = 6}, 6);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Usage);
    EXPECT_STREQ(error.what(), "split stages=6 asks for 6 pipeline stages, but the network has 4 operators after fusion");
  }
}

TEST(MakePlan, EverySplitCoversEveryOutput) {
  const Network network = tail_of_resnet();
  for (const char* spec : {"n=12", "f=12", "c=12", "h=12", "w=12", "h=3,w=4", "f=2,c=3,h=2", "stages=3,w=4", "auto", "n=3,c=4"})
    EXPECT_NO_THROW(planned(network, spec, 12)) << spec;
}

TEST(OwnedBy, ConvolutionsReductionsAndFullExtents) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{1, 64, 1, 14, 14}});
  const ValueId sum = build.add("sum", sum_over_columns, {x});
  const Network network = build.build({build.conv("conv", x, 32), sum, build.full_conv("fc", x, 10)});
  const Node& row_sum = network.nodes[0];
  const Node& conv = network.nodes[1];
  const Node& full = network.nodes[2];
  EXPECT_THAT(owned_by(network, conv, Axis::N), ElementsAre(GridAxis::N));
  EXPECT_THAT(owned_by(network, conv, Axis::H), ElementsAre(GridAxis::H));
  EXPECT_THAT(owned_by(network, conv, Axis::C), ElementsAre(GridAxis::F, GridAxis::C));
  EXPECT_THAT(owned_by(network, row_sum, Axis::C), ElementsAre(GridAxis::F, GridAxis::C, GridAxis::W));
  EXPECT_THAT(owned_by(network, row_sum, Axis::W), ElementsAre());
  EXPECT_THAT(owned_by(network, full, Axis::C), ElementsAre(GridAxis::F, GridAxis::C)) << "sums over space are not divided";
  EXPECT_EQ(num_owned_parts(network, full, {.parts = {{2, 3, 4, 1, 5, 7}}}, Axis::C), 12);
  EXPECT_EQ(num_owned_parts(network, row_sum, {.parts = {{2, 3, 4, 1, 5, 7}}}, Axis::C), 84);
  EXPECT_EQ(num_owned_parts(network, row_sum, {.parts = {{2, 3, 4, 1, 5, 7}}}, Axis::W), 1);
}

TEST(PartsForNode, SpaceBecomesFiltersWhereThereIsNone) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{1, 64, 1, 14, 14}});
  const ValueId sum = build.add("sum", sum_over_columns, {x});
  const Network network = build.build({build.conv("conv", x, 32), sum, build.full_conv("fc", x, 10)});
  const GridVector asked{{2, 3, 1, 1, 5, 7}};
  EXPECT_EQ(parts_for_node(network, network.nodes[1], asked), asked);
  EXPECT_EQ(parts_for_node(network, network.nodes[0], asked), asked) << "columns are summed where they are";
  EXPECT_EQ(parts_for_node(network, network.nodes[2], asked), (GridVector{{2, 105, 1, 1, 1, 1}}));
}

TEST(DefaultCuts, ChannelsOfGroupsAndOfPlainOperators) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{1, 12, 1, 8, 8}});
  const ValueId grouped = build.conv("grouped", x, 12, 3, 1, 2);
  const Network network = build.build({build.add("pool", Pool{}, {grouped})});
  const Grid grid{.parts = {{1, 3, 1, 1, 1, 1}}};
  EXPECT_EQ(default_cuts(network, network.nodes[0], grid)[1], (Cuts{0, 3, 6, 12})) << "2 groups of 6 in 3 parts";
  EXPECT_EQ(default_cuts(network, network.nodes[1], grid)[1], (Cuts{0, 4, 8, 12}));
}

std::string refusal(const std::function<void(Plan&)>& damage) {
  const Network network = tail_of_resnet();
  Plan plan = planned(network, "stages=2,h=2", 4);
  damage(plan);
  try {
    validate(plan, network);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData);
    return concat(error.what(), " | ", error.hint());
  }
  return "no error";
}

TEST(ValidatePlan, NamesTheMismatch) {
  EXPECT_EQ(refusal([](Plan&) {}), "no error");
  EXPECT_THAT(refusal([](Plan& p) { p.nodes.pop_back(); }), HasSubstr("the plan is for 3 operators, but the network has 4"));
  EXPECT_THAT(refusal([](Plan& p) { p.num_ranks = 0; }), HasSubstr("must be at least 1"));
  EXPECT_THAT(refusal([](Plan& p) { p.nodes[0].grid.first_rank = 3; }),
              HasSubstr("plan of 'rows14' (Conv): split h=2 from rank 3 does not fit the ranks 0 to 3"));
  EXPECT_THAT(refusal([](Plan& p) { p.nodes[0].grid.first_rank = -1; }), HasSubstr("does not fit"));
  EXPECT_THAT(refusal([](Plan& p) { p.nodes[0].grid.parts[GridAxis::W] = 0; }), HasSubstr("w=0"));
  EXPECT_THAT(refusal([](Plan& p) { p.nodes[0].grid.parts = {{1 << 20, 1 << 20, 1 << 20, 1 << 20, 1, 1}}; }),
              HasSubstr("does not fit"));
  EXPECT_THAT(refusal([](Plan& p) { p.nodes[3].stage = 2; }), HasSubstr("stage 2 is not one of 0 to 1"));
  EXPECT_THAT(refusal([](Plan& p) { p.nodes[3].stage = 0; }),
              HasSubstr("stage 0 comes before stage 1, which produces its input 'mean'"));
  EXPECT_THAT(refusal([](Plan& p) { p.nodes[0].cuts[3] = {0, 7}; }),
              HasSubstr("the cuts along h (0 7) do not divide 0 to 14 into 2 blocks | for example 0 7 14"));
  EXPECT_THAT(refusal([](Plan& p) { p.nodes[0].cuts[3] = {0, 7, 13}; }), HasSubstr("0 to 14"));
}

}  // namespace
}  // namespace parconv
