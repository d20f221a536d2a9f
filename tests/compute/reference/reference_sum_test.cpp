// SPDX-License-Identifier: Apache-2.0
// The order of sums of the reference backend: worked examples, and random real numbers against the definition.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compute/local_op_case.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

using Values = std::vector<float>;

constexpr float large = 16777216;  // 2^24: adding 1 rounds it away, adding 2 does not
constexpr SumLeaves five_leaves{.channels = 5, .count = 5};

/// The sum of these products, one per input channel.
float conv_of(const Values& products, const SumLeaves& leaves) {
  const index_t channels = std::ssize(products);
  const Filter filter = make_filter(1, channels, {1, 1, 1}, Values(products.size(), 1.0F));
  const LocalConv conv{.blocks = {whole_block(filter)}, .filter = filter, .leaves = leaves};
  return run_op(*make_reference_backend(), {.kind = conv}, {{{{1, channels, 1, 1, 1}}, products}}, {{1, 1, 1, 1, 1}}).front();
}

float deconv_of(const Values& products, const SumLeaves& leaves) {
  const index_t channels = std::ssize(products);
  const Filter filter = make_filter(1, channels, {1, 1, 1}, Values(products.size(), 1.0F));
  const LocalDeconv deconv{.blocks = {whole_block(filter)}, .filter = filter, .leaves = leaves};
  return run_op(*make_reference_backend(), {.kind = deconv}, {{{{1, channels, 1, 1, 1}}, products}}, {{1, 1, 1, 1, 1}}).front();
}

float matmul_of(const Values& products, const SumLeaves& leaves) {
  const index_t inner = std::ssize(products);
  const Operand a{{{1, 1, 1, 1, inner}}, products}, b{{{1, 1, 1, inner, 1}}, Values(products.size(), 1.0F)};
  return run_op(*make_reference_backend(), {.kind = LocalMatMul{.leaves = leaves}}, {a, b}, {{1, 1, 1, 1, 1}}).front();
}

TEST(ReferenceSum, LeavesAreJoinedByTheTree) {
  const Values products{large, 1, 1, 1, 1};
  for (const auto sum_of : {conv_of, deconv_of, matmul_of}) {
    EXPECT_EQ(sum_of(products, {}), large) << "one chain";
    EXPECT_EQ(sum_of(products, five_leaves), large + 2) << "((s0 + s1) + s2) + (s3 + s4)";
    EXPECT_EQ(sum_of(products, {.channels = 5, .count = 2}), large + 4) << "[0, 2) + [2, 5): 2^24 + 3, a tie";
  }
}

TEST(ReferenceSum, ProductsAreNotRounded) {
  // (1 + 2^-12)^2 - 1 = 2^-11 + 2^-24; rounded first, the square is 1 + 2^-11.
  const float x = 1 + std::ldexp(1.0F, -12);
  const Filter filter = make_filter(1, 2, {1, 1, 1}, {1, x});
  const LocalConv conv{.blocks = {whole_block(filter)}, .filter = filter};
  EXPECT_EQ(run_op(*make_reference_backend(), {.kind = conv}, {{{{1, 2, 1, 1, 1}}, {-1, x}}}, {{1, 1, 1, 1, 1}}),
            (Values{std::ldexp(1.0F, -11) + std::ldexp(1.0F, -24)}));
}

TEST(ReferenceSum, AChainStartsAtPlusZero) {
  for (const auto sum_of : {conv_of, deconv_of, matmul_of}) {
    EXPECT_FALSE(std::signbit(sum_of({-0.0F}, {})));
    EXPECT_FALSE(std::signbit(sum_of({-0.0F, -0.0F}, {.channels = 2, .count = 2})));
  }
}

TEST(ReferenceSum, APartHasTheTreeOfItsLeaves) {
  // Of five leaves, the channels [1, 4): (s1 + s2) + s3.
  const auto sum_of_part = [](const Values& products) {
    const Filter filter = make_filter(1, 5, {1, 1, 1}, Values(5, 1.0F));
    const ChannelBlock block{.src = {0, 3}, .dst = {0, 1}, .filter = {{0, 1}, {1, 4}, {{{0, 1}, {0, 1}, {0, 1}}}}};
    const LocalConv conv{.blocks = {block}, .filter = filter, .leaves = five_leaves};
    return run_op(*make_reference_backend(), {.kind = conv}, {{{{1, 3, 1, 1, 1}}, products}}, {{1, 1, 1, 1, 1}}).front();
  };
  EXPECT_EQ(sum_of_part({1, 1, large}), large + 2);
  EXPECT_EQ(sum_of_part({large, 1, 1}), large);
}

TEST(ReferenceSum, RejectsLeavesThatDoNotFit) {
  EXPECT_THROW(conv_of({1, 2}, {.channels = 1, .count = 2}), Bug);
  EXPECT_THROW(conv_of({1, 2, 3}, {.channels = 2, .count = 2}), Bug);
  EXPECT_THROW(matmul_of({1, 2, 3}, {.channels = 2, .count = 2}), Bug);
}

/// A row of `groups` groups of channels under a filter along w.
struct RandomRow {
  index_t groups = 1, ic = 1, oc = 1, width = 1;
  WindowAxis window{};
  SumLeaves leaves{};
  Values src{}, weights{};
};

RandomRow random_row(std::mt19937& engine) {
  const auto in = [&](index_t lo, index_t hi) { return std::uniform_int_distribution<index_t>(lo, hi)(engine); };
  std::normal_distribution<float> normal;
  RandomRow row{.groups = in(1, 3), .ic = in(1, 40), .oc = in(1, 20), .width = in(3, 7)};
  row.window = {.kernel = in(1, 3), .stride = in(1, 2), .pad_lo = in(0, 3), .pad_hi = in(0, 3), .dilation = 1};
  row.leaves = {.channels = row.ic, .count = in(1, row.ic)};
  row.src.resize(static_cast<std::size_t>(row.groups * row.ic * row.width));
  row.weights.resize(static_cast<std::size_t>(row.groups * row.oc * row.ic * row.window.kernel));
  for (Values* values : {&row.src, &row.weights})
    for (float& value : *values) value = normal(engine);
  return row;
}

float leaf_by_definition(const RandomRow& row, index_t oc, index_t out, Interval channels) {
  float sum = 0;
  for (index_t k = 0; k < row.window.kernel; ++k) {
    const index_t place = out * row.window.stride - row.window.pad_lo + k;
    if (place < 0 || place >= row.width) continue;
    for (index_t i = channels.lo; i < channels.hi; ++i)
      sum = std::fma(row.src[static_cast<std::size_t>((oc / row.oc * row.ic + i) * row.width + place)],
                     row.weights[static_cast<std::size_t>((oc * row.ic + i) * row.window.kernel + k)], sum);
  }
  return sum;
}

float tree_by_definition(const RandomRow& row, index_t oc, index_t out, Interval leaves) {
  if (leaves.size() == 1) return leaf_by_definition(row, oc, out, row.leaves.leaf(leaves.lo));
  const index_t middle = leaves.lo + (leaves.size() + 1) / 2;
  return tree_by_definition(row, oc, out, {leaves.lo, middle}) + tree_by_definition(row, oc, out, {middle, leaves.hi});
}

TEST(ReferenceSum, RandomRowsEqualTheDefinition) {
  std::mt19937 engine(1);
  for (int round = 0; round < 200; ++round) {
    const RandomRow row = random_row(engine);
    const index_t filters = row.groups * row.oc, outputs = row.window.output_size(row.width);
    const Filter filter = make_filter(filters, row.ic, {1, 1, row.window.kernel}, row.weights);
    const LocalConv conv{.window = make_window({}, {}, row.window),
                         .blocks = {whole_block(filter, row.groups)},
                         .filter = filter,
                         .leaves = row.leaves};
    Values expected;
    for (index_t oc = 0; oc < filters; ++oc)
      for (index_t out = 0; out < outputs; ++out) expected.push_back(tree_by_definition(row, oc, out, {0, row.leaves.count}));
    const Operand src{{{1, row.groups * row.ic, 1, 1, row.width}}, row.src};
    ASSERT_EQ(run_op(*make_reference_backend(), {.kind = conv}, {src}, {{1, filters, 1, 1, outputs}}), expected)
        << "round " << round << ": " << row.groups << " groups of " << row.ic << " channels in " << row.leaves.count << " leaves";
  }
}

}  // namespace
}  // namespace parconv::test
