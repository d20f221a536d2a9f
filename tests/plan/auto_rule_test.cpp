// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"
#include "parconv/plan/plan.hpp"

namespace parconv {
namespace {

using parconv::test::mean_over_space;
using parconv::test::NamedNetworkBuilder;

/// The grid that `auto` gives a 1x1 convolution with an output of these extents, as text.
std::string chosen(const Extents& out, int num_ranks, int ndims = 4) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", out, ndims);
  const Network network = build.build({build.conv("out", x, out[Axis::C], 1)});
  const Plan plan = make_plan(network, rule_partitioner(), num_ranks);
  validate(plan, network);
  EXPECT_EQ(plan.nodes[0].grid.size(), num_ranks);
  return concat(plan.nodes[0].grid);
}

TEST(AutoRule, BatchIfThereAreAsManySamplesAsRanks) {
  EXPECT_EQ(chosen({{4, 64, 1, 56, 56}}, 4), "n=4");
  EXPECT_EQ(chosen({{5, 64, 1, 56, 56}}, 4), "n=4");
  EXPECT_EQ(chosen({{3, 64, 1, 56, 56}}, 4), "h=4");
}

TEST(AutoRule, RowsIfEveryRankGetsFour) {
  EXPECT_EQ(chosen({{1, 64, 1, 56, 56}}, 4), "h=4");
  EXPECT_EQ(chosen({{1, 8, 1, 16, 4}}, 4), "h=4");
  EXPECT_EQ(chosen({{1, 512, 1, 16, 16}}, 4), "h=4") << "rows go before filters";
  EXPECT_EQ(chosen({{1, 512, 1, 14, 14}}, 4), "f=4") << "4, 4, 4, 2";
  EXPECT_EQ(chosen({{1, 512, 1, 17, 17}}, 4), "f=4") << "5, 5, 5, 2";
}

TEST(AutoRule, SlicesOfVolumes) {
  EXPECT_EQ(chosen({{1, 8, 16, 4, 4}}, 4, 5), "d=4");
  EXPECT_EQ(chosen({{1, 64, 8, 64, 64}}, 4, 5), "f=4");
  EXPECT_EQ(chosen({{1, 8, 8, 64, 64}}, 4, 5), "h=2,w=2");
}

TEST(AutoRule, FiltersIfEveryRankGetsSixteen) {
  EXPECT_EQ(chosen({{1, 64, 1, 7, 7}}, 4), "f=4");
  EXPECT_EQ(chosen({{1, 63, 1, 7, 7}}, 4), "h=4") << "the last rank would get 15; and 7 x 7 is too small for 2 x 2";
}

TEST(AutoRule, GridIfEveryRankGetsFourByFour) {
  EXPECT_EQ(chosen({{1, 8, 1, 8, 8}}, 4), "h=2,w=2");
  EXPECT_EQ(chosen({{1, 8, 1, 8, 400}}, 8), "w=8") << "8 + 50 pixels of border against 4 + 100";
  EXPECT_EQ(chosen({{1, 8, 1, 8, 12}}, 6), "h=2,w=3");
}

TEST(AutoRule, RowsIfNothingElseFits) {
  EXPECT_EQ(chosen({{1, 8, 1, 6, 6}}, 4), "h=4");
  EXPECT_EQ(chosen({{1, 10, 1, 1, 1}}, 4, 2), "f=4") << "no rows at all: the parts become filter parts";
}

TEST(AutoRule, OneRank) { EXPECT_EQ(chosen({{1, 8, 1, 6, 6}}, 1), "1"); }

TEST(AutoRule, ChoosesForEveryOperatorOnItsOwn) {
  NamedNetworkBuilder build;
  const ValueId x = build.input("x", {{1, 3, 1, 224, 224}});
  const ValueId stem = build.conv("stem", x, 64, 7, 2);
  const ValueId deep = build.conv("deep", stem, 512, 3, 8);
  const ValueId mean = build.add("mean", mean_over_space(196), {deep});
  const Network network = build.build({build.conv("fc", mean, 10, 1)});
  const Plan plan = make_plan(network, rule_partitioner(), 4);
  std::vector<std::string> grids;
  for (const NodePlan& node : plan.nodes) grids.push_back(concat(node.grid));
  EXPECT_EQ(grids, (std::vector<std::string>{"h=4", "f=4", "f=4", "f=4"}));
  EXPECT_EQ(plan.nodes[3].cuts[1], (Cuts{0, 3, 6, 9, 10}));
}

}  // namespace
}  // namespace parconv
