// SPDX-License-Identifier: Apache-2.0
// Needed boxes in literal rows, for operators that read more than one element per output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/named_network_builder.hpp"
#include "parconv/model/localise.hpp"

namespace parconv::test {
namespace {

/// The needed box of an operand for box `computed` of the only node's output.
Box need(const Operator& op, const std::vector<Extents>& operands, std::size_t operand, const Box& computed) {
  NamedNetworkBuilder build;
  std::vector<ValueId> inputs;
  for (std::size_t k = 0; k < operands.size(); ++k) inputs.push_back(build.input("x" + std::to_string(k), operands[k]));
  const Network network = build.build({build.add("y", op, inputs)});
  const Node& node = network.nodes.front();
  return needed_box(network, node, operand, {computed, whole_contracted(network, node)});
}

constexpr Box box(Interval n, Interval c, Interval h, Interval w) { return {{n, c, {0, 1}, h, w}}; }

TEST(Needs, LrnNeedsNeighbouringChannels) {
  const std::vector<Extents> in{{{2, 64, 1, 5, 5}}};
  const Box middle = box({0, 2}, {8, 16}, {1, 3}, {0, 5});
  EXPECT_EQ(need(Lrn{.size = 5}, in, 0, middle), middle.with(Axis::C, {6, 18}));
  EXPECT_EQ(need(Lrn{.size = 4}, in, 0, middle), middle.with(Axis::C, {7, 18})) << "one before, two behind";
  EXPECT_EQ(need(Lrn{.size = 21}, in, 0, middle.with(Axis::C, {60, 64})), middle.with(Axis::C, {50, 64}));
  EXPECT_EQ(need(Lrn{.size = index_t{1} << 62}, in, 0, middle), middle.with(Axis::C, {0, 64}));
}

TEST(Needs, AReductionNeedsTheMarkedAxesWhole) {
  const std::vector<Extents> in{{{2, 8, 1, 5, 7}}};
  for (const ReduceKind kind : {ReduceKind::Sum, ReduceKind::Max, ReduceKind::Product}) {
    const Reduction over_rows{.kind = kind, .axes = {false, false, true, true, false}};
    EXPECT_EQ(need(over_rows, in, 0, box({1, 2}, {2, 4}, {0, 1}, {3, 5})), box({1, 2}, {2, 4}, {0, 5}, {3, 5}));
    const Reduction over_samples{.kind = kind, .axes = {true, true, false, false, false}};
    EXPECT_EQ(need(over_samples, in, 0, box({0, 1}, {0, 1}, {1, 2}, {3, 5})), box({0, 2}, {0, 8}, {1, 2}, {3, 5}));
  }
}

TEST(Needs, AConcatNeedsItsPartAlongItsAxis) {
  const std::vector<Extents> in{{{1, 8, 1, 5, 7}}, {{1, 8, 1, 3, 7}}};
  const Box rows = box({0, 1}, {0, 8}, {4, 7}, {0, 7});
  EXPECT_EQ(need(Concat{Axis::H}, in, 0, rows), rows.with(Axis::H, {4, 5}));
  EXPECT_EQ(need(Concat{Axis::H}, in, 1, rows), rows.with(Axis::H, {0, 2}));
  EXPECT_TRUE(need(Concat{Axis::H}, in, 1, rows.with(Axis::H, {0, 5})).is_empty());
}

TEST(Needs, AProductNeedsRowsAndColumnsAndTheInnerAxisWhole) {
  const std::vector<Extents> in{{{2, 8, 1, 5, 7}}, {{1, 8, 1, 7, 9}}};
  const Box computed = box({1, 2}, {2, 4}, {1, 3}, {4, 9});
  EXPECT_EQ(need(MatMul{}, in, 0, computed), box({1, 2}, {2, 4}, {1, 3}, {0, 7}));
  EXPECT_EQ(need(MatMul{}, in, 1, computed), box({0, 1}, {2, 4}, {0, 7}, {4, 9})) << "its only sample is broadcast";
}

TEST(Needs, AWrappedAxisNeedsAllAtTheWrap) {
  Resample twice;
  twice[Axis::W] = {TakeAxis{.border = Border::Wrap}, 14};
  const std::vector<Extents> in{{{1, 8, 1, 5, 7}}};
  const Box rows = box({0, 1}, {0, 8}, {0, 5}, {0, 14});
  EXPECT_EQ(need(twice, in, 0, rows.with(Axis::W, {8, 12})), rows.with(Axis::W, {1, 5}));
  EXPECT_EQ(need(twice, in, 0, rows.with(Axis::W, {6, 8})), rows.with(Axis::W, {0, 7}));
}

}  // namespace
}  // namespace parconv::test
