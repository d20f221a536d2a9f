// SPDX-License-Identifier: Apache-2.0
// Convolutions of the reference backend: worked examples, and random ones against the definition.
#include <gtest/gtest.h>

#include <random>

#include "compute/local_op_case.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

using Values = std::vector<float>;

Values conv(const LocalConv& local, const Operand& src, const Extents& dst, const LocalEpilogue& epilogue = {}) {
  return run_op(*make_reference_backend(), {.kind = local, .epilogue = epilogue}, {src}, dst);
}

LocalConv simple_conv(const Window& window, const Filter& filter, index_t groups = 1) {
  return {.window = window, .blocks = {whole_block(filter, groups)}, .filter = filter};
}

TEST(ReferenceConv, OneDimension) {
  // Along h: 1 2 3 4 with 1 10 100 and padding 1.
  const Filter filter = make_filter(1, 1, {1, 3, 1}, {1, 10, 100});
  const Window window = make_window({}, {.kernel = 3, .pad_lo = 1, .pad_hi = 1}, {});
  EXPECT_EQ(conv(simple_conv(window, filter), {{{1, 1, 1, 4, 1}}, {1, 2, 3, 4}}, {{1, 1, 1, 4, 1}}), (Values{210, 321, 432, 43}));
}

TEST(ReferenceConv, TwoDimensionsWithStrideAndAsymmetricPadding) {
  // Rows 1 2 3 / 4 5 6 / 7 8 9; one row of padding above, none below; one column at the right; stride 2.
  const Filter filter = make_filter(1, 1, {1, 2, 2}, {1, 10, 100, 1000});
  const Window window = make_window({}, {.kernel = 2, .stride = 2, .pad_lo = 1}, {.kernel = 2, .stride = 2, .pad_hi = 1});
  EXPECT_EQ(conv(simple_conv(window, filter), {{{1, 1, 1, 3, 3}}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}, {{1, 1, 1, 2, 2}}),
            (Values{2100, 300, 8754, 906}));
}

TEST(ReferenceConv, Dilation) {
  // Taps 2 apart: columns o - 2 and o of 1 2 3 4 5 under 1 10.
  const Filter filter = make_filter(1, 1, {1, 1, 2}, {1, 10});
  const Window window = make_window({}, {}, {.kernel = 2, .pad_lo = 2, .dilation = 2});
  EXPECT_EQ(conv(simple_conv(window, filter), {{{1, 1, 1, 1, 5}}, {1, 2, 3, 4, 5}}, {{1, 1, 1, 1, 5}}),
            (Values{10, 20, 31, 42, 53}));
}

TEST(ReferenceConv, ThreeDimensionsAndSamples) {
  // Two samples of 2 x 2 x 1; the filter adds the slices: 1 * front + 10 * back, padded by one slice in front.
  const Filter filter = make_filter(1, 1, {2, 1, 1}, {1, 10});
  const Window window = make_window({.kernel = 2, .pad_lo = 1}, {}, {});
  EXPECT_EQ(conv(simple_conv(window, filter), {{{2, 1, 2, 2, 1}}, {1, 2, 3, 4, 5, 6, 7, 8}}, {{2, 1, 2, 2, 1}}),
            (Values{10, 20, 31, 42, 50, 60, 75, 86}));
}

TEST(ReferenceConv, ChannelsAndFilters) {
  // One pixel of channels 1 2 3; filters (1 10 100) and (2 0 -1).
  const Filter filter = make_filter(2, 3, {1, 1, 1}, {1, 10, 100, 2, 0, -1});
  EXPECT_EQ(conv(simple_conv({}, filter), {{{1, 3, 1, 1, 1}}, {1, 2, 3}}, {{1, 2, 1, 1, 1}}), (Values{321, -1}));
}

TEST(ReferenceConv, Groups) {
  // Two groups of two channels and one filter each: 1 + 10 * 2 and 3 * 100 + 4 * 1000.
  const Filter filter = make_filter(2, 2, {1, 1, 1}, {1, 10, 100, 1000});
  EXPECT_EQ(conv(simple_conv({}, filter, 2), {{{1, 4, 1, 1, 1}}, {1, 2, 3, 4}}, {{1, 2, 1, 1, 1}}), (Values{21, 4300}));
}

TEST(ReferenceConv, FilterScale) {
  Filter filter = make_filter(2, 1, {1, 1, 1}, {1, 10});
  filter.scale = std::make_shared<const Values>(Values{2, 0.5f});
  EXPECT_EQ(conv(simple_conv({}, filter), {{{1, 1, 1, 1, 1}}, {4}}, {{1, 2, 1, 1, 1}}), (Values{8, 20}));
}

TEST(ReferenceConv, BlocksOfGroups) {
  // Three groups of two filters on one channel each. A rank computes filters [1, 5): the tail of group 0, group 1, the head of
  // 2.
  const Filter filter = make_filter(6, 1, {1, 1, 1}, {1, 2, 3, 4, 5, 6});
  const auto block = [](index_t groups, Interval src, Interval dst, Interval oc) {
    return ChannelBlock{.groups = groups, .src = src, .dst = dst, .filter = {oc, {0, 1}, {{{0, 1}, {0, 1}, {0, 1}}}}};
  };
  const LocalConv local{
      .blocks = {block(1, {0, 1}, {0, 1}, {1, 2}), block(1, {1, 2}, {1, 3}, {2, 4}), block(1, {2, 3}, {3, 4}, {4, 5})},
      .filter = filter};
  EXPECT_EQ(conv(local, {{{1, 3, 1, 1, 1}}, {10, 100, 1000}}, {{1, 4, 1, 1, 1}}), (Values{20, 300, 400, 5000}));
}

TEST(ReferenceConv, PartOfTheInputChannelsAndOfTheTaps) {
  // Of a filter with channels 0..2 and taps 0..2, a rank sums over channel [1, 3) and tap [1, 2).
  const Filter filter = make_filter(1, 3, {1, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const LocalConv local{.blocks = {{.src = {0, 2}, .dst = {0, 1}, .filter = {{0, 1}, {1, 3}, {{{0, 1}, {1, 2}, {0, 1}}}}}},
                        .filter = filter};
  EXPECT_EQ(conv(local, {{{1, 2, 1, 1, 1}}, {10, 100}}, {{1, 1, 1, 1, 1}}), (Values{850}));
}

TEST(ReferenceConv, AppliesTheEpilogueOnce) {
  const Filter filter = make_filter(1, 1, {1, 1, 1}, {2});
  const LocalOp op{.kind = simple_conv({}, filter),
                   .epilogue = {.bias = {-10}, .residual = 1, .activation = {.kind = ActivationKind::Relu}}};
  EXPECT_EQ(
      run_op(*make_reference_backend(), op, {{{{1, 1, 1, 1, 3}}, {1, 2, 3}}, {{{1, 1, 1, 1, 3}}, {7, 7, 7}}}, {{1, 1, 1, 1, 3}}),
      (Values{0, 1, 3}));
}

TEST(ReferenceConv, RejectsBlocksThatDoNotFit) {
  const Filter filter = make_filter(2, 2, {1, 1, 1}, {1, 2, 3, 4});
  const Operand src{{{1, 2, 1, 1, 1}}, {1, 2}};
  LocalConv local = simple_conv({}, filter);
  EXPECT_THROW(conv(local, src, {{1, 3, 1, 1, 1}}), Bug);  // one filter is missing
  local.blocks[0].src = {0, 1};
  EXPECT_THROW(conv(local, src, {{1, 2, 1, 1, 1}}), Bug);  // a filter of two channels on one
  local = simple_conv(make_window({}, {.kernel = 2}, {}), filter);
  EXPECT_THROW(conv(local, src, {{1, 2, 1, 1, 1}}), Bug);  // a window of two taps, a filter of one
}

// Random convolutions on small integers, all bits.

struct RandomConv {
  Window window{};
  index_t groups = 1;
  Filter filter{};
  Operand src{};
  Extents dst{};
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  index_t in(index_t lo, index_t hi) { return std::uniform_int_distribution<index_t>(lo, hi)(engine_); }

  Values integers(index_t count) {
    Values values(static_cast<std::size_t>(count));
    for (float& value : values) value = static_cast<float>(in(-4, 4));
    return values;
  }

  RandomConv conv() {
    RandomConv c;
    c.groups = in(1, 3);
    const index_t ic = in(1, 4);
    c.src.extents = {{in(1, 2), c.groups * ic, 1, 1, 1}};
    c.dst = {{c.src.extents[Axis::N], c.groups * in(1, 4), 1, 1, 1}};
    for (Axis axis : spatial_axes) {
      WindowAxis& w = c.window[axis];
      w = {.kernel = in(1, 3), .stride = in(1, 3), .pad_lo = in(0, 4), .pad_hi = in(0, 4), .dilation = in(1, 3)};
      c.src.extents[axis] = std::max<index_t>(in(1, 7), w.span() - w.pad_lo - w.pad_hi);
      c.dst[axis] = w.output_size(c.src.extents[axis]);
    }
    c.src.values = integers(volume(c.src.extents));
    const auto& w = c.window.axes;
    const std::array<index_t, 3> kernel{w[0].kernel, w[1].kernel, w[2].kernel};
    const index_t elems = c.dst[Axis::C] * ic * kernel[0] * kernel[1] * kernel[2];
    c.filter = make_filter(c.dst[Axis::C], ic, kernel, integers(elems));
    return c;
  }

 private:
  std::mt19937 engine_;
};

/// The element at (n, c, d, h, w), 0 outside of the tensor.
double element_or_zero(const Operand& operand, const std::array<index_t, 5>& at) {
  index_t position = 0;
  for (std::size_t k = 0; k < at.size(); ++k) {
    if (at[k] < 0 || at[k] >= operand.extents.values[k]) return 0;
    position = position * operand.extents.values[k] + at[k];
  }
  return static_cast<double>(operand.values[static_cast<std::size_t>(position)]);
}

/// The definition: a sum over all channels of the group and all taps, padding being zeros.
double output_by_definition(const RandomConv& c, index_t n, index_t oc, const std::array<index_t, 3>& out) {
  const index_t ic = c.filter.ic_per_group;
  const index_t group = oc / (c.filter.oc / c.groups);
  const auto& w = c.window.axes;
  double sum = 0;
  std::size_t weight = static_cast<std::size_t>(oc * c.filter.strides[0]);
  for (index_t i = 0; i < ic; ++i)
    for (index_t kd = 0; kd < w[0].kernel; ++kd)
      for (index_t kh = 0; kh < w[1].kernel; ++kh)
        for (index_t kw = 0; kw < w[2].kernel; ++kw) {
          const std::array<index_t, 5> at{n, group * ic + i, out[0] * w[0].stride - w[0].pad_lo + kd * w[0].dilation,
                                          out[1] * w[1].stride - w[1].pad_lo + kh * w[1].dilation,
                                          out[2] * w[2].stride - w[2].pad_lo + kw * w[2].dilation};
          sum += static_cast<double>((*c.filter.data.values)[weight++]) * element_or_zero(c.src, at);
        }
  return sum;
}

Values conv_by_definition(const RandomConv& c) {
  Values result;
  for (index_t n = 0; n < c.dst[Axis::N]; ++n)
    for (index_t oc = 0; oc < c.dst[Axis::C]; ++oc)
      for (index_t d = 0; d < c.dst[Axis::D]; ++d)
        for (index_t h = 0; h < c.dst[Axis::H]; ++h)
          for (index_t w = 0; w < c.dst[Axis::W]; ++w)
            result.push_back(static_cast<float>(output_by_definition(c, n, oc, {d, h, w})));
  return result;
}

TEST(ReferenceConv, RandomOnesEqualTheDefinition) {
  Random random(1);
  for (int round = 0; round < 400; ++round) {
    const RandomConv c = random.conv();
    ASSERT_EQ(conv(simple_conv(c.window, c.filter, c.groups), c.src, c.dst), conv_by_definition(c))
        << "round " << round << ": " << c.src.extents << " to " << c.dst << ", groups " << c.groups;
  }
}

TEST(ReferenceConv, OneBlockPerFilterIsEqual) {
  Random random(2);
  for (int round = 0; round < 100; ++round) {
    const RandomConv c = random.conv();
    const ChannelBlock whole = whole_block(c.filter, c.groups);
    LocalConv local{.window = c.window, .filter = c.filter};
    for (index_t oc = 0; oc < c.filter.oc; ++oc) {
      ChannelBlock block{.dst = {oc, oc + 1}, .filter = whole.filter};
      block.filter.oc = block.dst;
      block.src = whole.filter.ic.shifted(oc / (c.filter.oc / c.groups) * c.filter.ic_per_group);
      local.blocks.push_back(block);
    }
    ASSERT_EQ(conv(local, c.src, c.dst), conv_by_definition(c)) << "round " << round;
  }
}

}  // namespace
}  // namespace parconv::test
