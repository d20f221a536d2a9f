// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/shape.hpp"

#include <gmock/gmock.h>

#include "model/named_network_builder.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using test::mean_over_space;
using test::sum_over_columns;
using ::testing::HasSubstr;

constexpr index_t huge = index_t{1} << 62;

Shape image(index_t n, index_t c, index_t h, index_t w) { return {.extents = {{n, c, 1, h, w}}, .ndims = 4}; }

Conv conv(index_t oc, index_t ic_per_group, WindowAxis window, index_t groups = 1) {
  Conv op{.groups = groups};
  op.window[Axis::H] = window;
  op.window[Axis::W] = window;
  op.filter = {.oc = oc, .ic_per_group = ic_per_group, .kernel = {1, window.kernel, window.kernel}};
  return op;
}

Shape of(const Operator& op, const std::vector<Shape>& operands) { return output_shape(op, operands, "the node"); }

/// The message of the BadData error that `of` throws.
std::string refusal(const Operator& op, const std::vector<Shape>& operands) {
  try {
    of(op, operands);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData);
    return error.what();
  }
  return "no error";
}

TEST(ShapeFromDims, FollowsOnnxOrder) {
  const auto extents = [](std::vector<index_t> dims) { return shape_from_dims(dims, "x").extents; };
  EXPECT_EQ(extents({7}), (Extents{{7, 1, 1, 1, 1}}));
  EXPECT_EQ(extents({2, 3}), (Extents{{2, 3, 1, 1, 1}}));
  EXPECT_EQ(extents({2, 3, 4}), (Extents{{2, 3, 1, 4, 1}}));
  EXPECT_EQ(extents({2, 3, 4, 5}), (Extents{{2, 3, 1, 4, 5}}));
  EXPECT_EQ(extents({2, 3, 4, 5, 6}), (Extents{{2, 3, 4, 5, 6}}));
}

TEST(ShapeFromDims, AndBack) {
  for (std::size_t ndims = 1; ndims <= 5; ++ndims) {
    std::vector<index_t> dims;
    for (std::size_t k = 0; k < ndims; ++k) dims.push_back(static_cast<index_t>(k) + 2);
    EXPECT_EQ(dims_of(shape_from_dims(dims, "x")), dims);
  }
}

TEST(ShapeFromDims, RefusesInvalidDimensions) {
  const auto refusal_of = [](std::vector<index_t> dims) -> std::string {
    try {
      shape_from_dims(dims, "input 'x'");
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(refusal_of({}), HasSubstr("input 'x': has 0 dimensions"));
  EXPECT_THAT(refusal_of({1, 2, 3, 4, 5, 6}), HasSubstr("has 6 dimensions, but 1 to 5"));
  EXPECT_THAT(refusal_of({1, 0, 3}), HasSubstr("dimension 1 is 0"));
  EXPECT_THAT(refusal_of({1, 3, -2}), HasSubstr("dimension 2 is -2"));
  EXPECT_THAT(refusal_of({huge, 2}), HasSubstr("number of elements of input 'x'"));
  EXPECT_THAT(refusal_of({huge, 4}), HasSubstr("does not fit"));
  EXPECT_EQ(refusal_of({index_t{1} << 48}), "no error");
  EXPECT_THAT(refusal_of({(index_t{1} << 48) + 1}), HasSubstr("more than 2^48"));
}

TEST(OutputShape, OfConvolutions) {
  EXPECT_EQ(of(conv(64, 3, {.kernel = 7, .stride = 2, .pad_lo = 3, .pad_hi = 3}), {image(1, 3, 224, 224)}),
            image(1, 64, 112, 112));
  EXPECT_EQ(of(conv(8, 2, {.kernel = 3, .pad_lo = 2, .pad_hi = 2, .dilation = 2}, 4), {image(2, 8, 9, 10)}), image(2, 8, 9, 10));
  EXPECT_EQ(of(conv(8, 4, {.kernel = 2, .pad_hi = 1}), {image(1, 4, 5, 6)}), image(1, 8, 5, 6));
  EXPECT_EQ(of(conv(5, 4, {}), {{.extents = {{3, 4, 1, 1, 1}}, .ndims = 2}}), (Shape{.extents = {{3, 5, 1, 1, 1}}, .ndims = 2}));
}

TEST(OutputShape, OfVolumes) {
  Conv op{.filter = {.oc = 2, .ic_per_group = 1, .kernel = {3, 3, 3}}};
  for (Axis axis : spatial_axes) op.window[axis] = {.kernel = 3};
  EXPECT_EQ(of(op, {{.extents = {{1, 1, 8, 9, 10}}, .ndims = 5}}), (Shape{.extents = {{1, 2, 6, 7, 8}}, .ndims = 5}));
}

TEST(OutputShape, OfTheOthers) {
  Pool pool;
  pool.window[Axis::H] = {.kernel = 3, .stride = 2};
  EXPECT_EQ(of(pool, {image(1, 4, 9, 5)}), image(1, 4, 4, 5));
  EXPECT_EQ(of(Elementwise{}, {image(1, 2, 3, 4)}), image(1, 2, 3, 4));
  EXPECT_EQ(of(ScaleShift{{1, 2}, {3, 4}}, {image(1, 2, 3, 4)}), image(1, 2, 3, 4));
  EXPECT_EQ(of(Concat{}, {image(1, 2, 3, 4), image(1, 5, 3, 4), image(1, 1, 3, 4)}), image(1, 8, 3, 4));
  EXPECT_EQ(of(sum_over_columns, {image(1, 2, 3, 4)}), image(1, 2, 3, 1));
  EXPECT_EQ(of(mean_over_space(12), {image(1, 2, 3, 4)}), image(1, 2, 1, 1));
  EXPECT_EQ(of(Softmax{}, {image(1, 2, 3, 4)}), image(1, 2, 3, 4));
}

TEST(OutputShape, OfBroadcastSums) {
  EXPECT_EQ(of(Sum{}, {image(2, 8, 4, 5), image(1, 8, 1, 1)}), image(2, 8, 4, 5));
  EXPECT_EQ(of(Sum{}, {image(1, 8, 1, 1), image(2, 1, 4, 5), image(2, 8, 4, 1)}), image(2, 8, 4, 5));
  EXPECT_THAT(refusal(Sum{}, {image(1, 8, 4, 5), image(1, 8, 3, 5)}),
              HasSubstr("inputs of [1, 8, 4, 5] and [1, 8, 3, 5] differ along h"));
}

TEST(OutputShape, RefusesMismatchedOperands) {
  const std::vector<Shape> in{image(1, 4, 5, 5)};
  EXPECT_THAT(refusal(conv(8, 3, {}), in),
              HasSubstr("the node: its filter is for 1 groups of 3 input channels, but the input has 4"));
  EXPECT_THAT(refusal(conv(9, 2, {}, 2), in), HasSubstr("9 output channels are not a multiple of 2 groups"));
  EXPECT_THAT(refusal(conv(8, 4, {}, 0), in), HasSubstr("0 groups"));
  EXPECT_THAT(refusal(conv(8, 4, {.stride = 0}), in), HasSubstr("stride along h is 0"));
  EXPECT_THAT(refusal(conv(8, 4, {.dilation = 0}), in), HasSubstr("dilation along h is 0"));
  EXPECT_THAT(refusal(conv(8, 4, {.pad_lo = -1}), in), HasSubstr("padding at the low end along h is -1"));
  EXPECT_THAT(refusal(conv(8, 4, {.kernel = 7, .pad_lo = 1}), in),
              HasSubstr("its window spans 7 along h, but the padded input has only 6"));
  Conv other_kernel = conv(8, 4, {.kernel = 3});
  other_kernel.filter.kernel[2] = 5;
  EXPECT_THAT(refusal(other_kernel, in), HasSubstr("kernel along w is 3, but the filter has 5"));
  EXPECT_THAT(refusal(ScaleShift{{1}, {1}}, in), HasSubstr("has 1 scales for 4 channels"));
  EXPECT_THAT(refusal(Concat{}, {image(1, 4, 5, 5), image(1, 4, 5, 6)}), HasSubstr("differ along w"));
  EXPECT_THAT(refusal(Elementwise{}, {in[0], in[0]}), HasSubstr("expects one input, but has 2"));
  EXPECT_THAT(refusal(Sum{}, {}), HasSubstr("expects at least one input"));
  EXPECT_THAT(refusal(mean_over_space(0), in), HasSubstr("divides by 0"));
  EXPECT_THAT(refusal(Reduction{.kind = ReduceKind::Max, .count = 2}, in), HasSubstr("divides by 2"));
}

TEST(OutputShape, OverflowIsAnError) {
  const std::vector<Shape> tall{image(1, 1, huge, 1)};
  EXPECT_THAT(refusal(conv(8, 1, {.kernel = 1}), tall), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(conv(1, 1, {.kernel = 1, .pad_lo = huge, .pad_hi = 1}), tall), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(conv(1, 1, {.kernel = huge, .dilation = huge}), tall), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(conv(huge, huge, {.kernel = 1}, 4), tall), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(Concat{}, {image(1, huge, 1, 1), image(1, huge, 1, 1)}), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(Sum{}, {image(huge, 1, 1, 1), image(1, 8, 1, 1)}), HasSubstr("does not fit"));
}

TEST(OutputShape, OfAReshapeIsABug) { EXPECT_THROW(of(Reshape{}, {image(1, 1, 1, 1)}), Bug); }

TEST(OperatorName, NamesTheKind) {
  EXPECT_EQ(name_of(Operator{Pool{}}), "MaxPool");
  EXPECT_EQ(name_of(Operator{Pool{.kind = PoolKind::Average}}), "AveragePool");
  EXPECT_EQ(name_of(Operator{Softmax{.is_logarithm = true}}), "LogSoftmax");
  EXPECT_EQ(name_of(Operator{Conv{}}), "Conv");
}

}  // namespace
}  // namespace parconv
