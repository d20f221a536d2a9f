// SPDX-License-Identifier: Apache-2.0
// Sources of each output of a Resample: examples by hand, and needed boxes compared with the needs of their outputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "model/ops/window/resample.hpp"
#include "parconv/core/error.hpp"
#include "support/network_builder.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

using Numbers = std::vector<float>;
using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;
using testing::Pointwise;

/// The outputs of `axis` where input i is `in[i]`, and a fill is -1.
Numbers outputs_of(const ResampledAxis& axis, const Numbers& in) {
  Numbers out;
  for (index_t o = 0; o < axis.size; ++o) {
    const AxisTap tap = tap_of(axis, o, static_cast<index_t>(in.size()));
    const float lo = tap.lo < 0 ? -1 : in[static_cast<std::size_t>(tap.lo)];
    out.push_back(tap.lo == tap.hi ? lo : lo + tap.weight * (in[static_cast<std::size_t>(tap.hi)] - lo));
  }
  return out;
}

const Numbers four{10, 11, 12, 13};

TEST(Resample, TakesWithAStep) {
  EXPECT_THAT(outputs_of({TakeAxis{.start = 1, .step = 2}, 2}, four), ElementsAre(11, 13));
  EXPECT_THAT(outputs_of({TakeAxis{.start = 2}, 1}, four), ElementsAre(12));
  EXPECT_THAT(outputs_of({KeepAxis{}, 4}, four), ElementsAre(10, 11, 12, 13));
}

TEST(Resample, PadsByFillMirrorOrBorder) {
  EXPECT_THAT(outputs_of({TakeAxis{.start = -2}, 7}, four), ElementsAre(-1, -1, 10, 11, 12, 13, -1));
  EXPECT_THAT(outputs_of({TakeAxis{.start = -3, .border = Border::Reflect}, 10}, four),
              ElementsAre(13, 12, 11, 10, 11, 12, 13, 12, 11, 10));
  EXPECT_THAT(outputs_of({TakeAxis{.start = -2, .border = Border::Edge}, 7}, four), ElementsAre(10, 10, 10, 11, 12, 13, 13));
  EXPECT_THAT(outputs_of({TakeAxis{.start = 1, .border = Border::Edge}, 4}, four), ElementsAre(11, 12, 13, 13));
}

TEST(Resample, SelectsBackwardsRepeatedAndWrapped) {
  EXPECT_THAT(outputs_of({TakeAxis{.start = 3, .step = -2}, 2}, four), ElementsAre(13, 11));
  EXPECT_THAT(outputs_of({TakeAxis{.start = 1, .step = 0}, 3}, four), ElementsAre(11, 11, 11));
  EXPECT_THAT(outputs_of({TakeAxis{.start = -1, .border = Border::Wrap}, 7}, four), ElementsAre(13, 10, 11, 12, 13, 10, 11));
}

TEST(Resample, NearestOfTwiceAndHalf) {
  const NearestAxis twice{.scale = 2, .coordinates = Coordinates::Asymmetric, .rounding = NearestRounding::Floor};
  EXPECT_THAT(outputs_of({twice, 8}, four), ElementsAre(10, 10, 11, 11, 12, 12, 13, 13));
  EXPECT_THAT(outputs_of({NearestAxis{.scale = 2}, 8}, four), ElementsAre(10, 10, 11, 11, 12, 12, 13, 13));
  EXPECT_THAT(outputs_of({NearestAxis{.scale = 0.5F}, 2}, four), ElementsAre(10, 12));
  const NearestAxis up{.scale = 0.5F, .rounding = NearestRounding::HalfUp};
  EXPECT_THAT(outputs_of({up, 2}, four), ElementsAre(11, 13));
  const NearestAxis ceil{.scale = 2, .coordinates = Coordinates::Asymmetric, .rounding = NearestRounding::Ceil};
  EXPECT_THAT(outputs_of({ceil, 8}, four), ElementsAre(10, 11, 11, 12, 12, 13, 13, 13));
}

/// In f32, (o + 0.5) / 0.3 - 0.5 is not halfway where it is exactly.
TEST(Resample, NearestOfARatioOfSizesIsExact) {
  Numbers twenty(20);
  std::iota(twenty.begin(), twenty.end(), 0.0F);
  const auto of_six = [&](Coordinates coordinates, NearestRounding rounding) {
    return outputs_of({NearestAxis{6.0F / 20, coordinates, rounding, true}, 6}, twenty);
  };
  EXPECT_THAT(of_six(Coordinates::HalfPixel, NearestRounding::HalfDown),
              ElementsAre(1, 4, 8, 11, 14, 18));  // 7/6, 4.5, 47/6, ...
  EXPECT_THAT(of_six(Coordinates::HalfPixel, NearestRounding::HalfUp), ElementsAre(1, 5, 8, 11, 15, 18));
  EXPECT_THAT(of_six(Coordinates::Asymmetric, NearestRounding::Ceil), ElementsAre(0, 4, 7, 10, 14, 17));
  EXPECT_THAT(of_six(Coordinates::AlignCorners, NearestRounding::Floor), ElementsAre(0, 3, 7, 11, 15, 19));
  EXPECT_THAT(of_six(Coordinates::HalfPixelSymmetric, NearestRounding::HalfDown), ElementsAre(1, 4, 8, 11, 14, 18));
}

/// Values are those of the examples in the ONNX specification of Resize.
TEST(Resample, LinearInEveryCoordinates) {
  const Numbers two{1, 2};
  const auto linear = [](Coordinates coordinates, float scale, index_t size) {
    return ResampledAxis{LinearAxis{.scale = scale, .coordinates = coordinates}, size};
  };
  EXPECT_THAT(outputs_of(linear(Coordinates::HalfPixel, 2, 4), two), ElementsAre(1, 1.25F, 1.75F, 2));
  EXPECT_THAT(outputs_of(linear(Coordinates::Asymmetric, 2, 4), two), ElementsAre(1, 1.5F, 2, 2));
  EXPECT_THAT(outputs_of(linear(Coordinates::AlignCorners, 2, 4), two), Pointwise(FloatEq(), Numbers{1, 4.0F / 3, 5.0F / 3, 2}));
  EXPECT_THAT(outputs_of(linear(Coordinates::HalfPixel, 0.5F, 2), four), ElementsAre(10.5F, 12.5F));
  EXPECT_THAT(outputs_of(linear(Coordinates::AlignCorners, 0.5F, 2), four), ElementsAre(10, 13));
  EXPECT_THAT(outputs_of(linear(Coordinates::HalfPixel, 0.25F, 1), four), ElementsAre(11.5F));
  EXPECT_THAT(outputs_of(linear(Coordinates::PytorchHalfPixel, 0.25F, 1), four), ElementsAre(10));
}

/// 4 * 0.6 = 2.4 outputs, of which 2 are computed: a step of 3 / 1.4.
TEST(Resample, CornersOfAFractionalSize) {
  const LinearAxis smaller{.scale = 0.6F, .coordinates = Coordinates::AlignCorners};
  EXPECT_THAT(outputs_of({smaller, 2}, four), Pointwise(FloatEq(), Numbers{10, 10 + 3 / 1.4F}));
  const LinearAxis larger{.scale = 1.6F, .coordinates = Coordinates::AlignCorners};
  EXPECT_THAT(outputs_of({larger, 6}, four),
              Pointwise(FloatEq(), Numbers{10, 10 + 3 / 5.4F, 10 + 6 / 5.4F, 10 + 9 / 5.4F, 10 + 12 / 5.4F, 10 + 15 / 5.4F}));
  EXPECT_THAT(outputs_of({LinearAxis{.scale = 0.3F, .coordinates = Coordinates::AlignCorners}, 1}, four), ElementsAre(10));
  const auto nearest = [&](NearestRounding rounding, bool is_scaled_by_size) {
    return outputs_of({NearestAxis{0.6F, Coordinates::AlignCorners, rounding, is_scaled_by_size}, 2}, four);
  };
  EXPECT_THAT(nearest(NearestRounding::HalfDown, false), ElementsAre(10, 12));
  EXPECT_THAT(nearest(NearestRounding::Ceil, false), ElementsAre(10, 13));
  EXPECT_THAT(nearest(NearestRounding::Floor, true), ElementsAre(10, 13));
}

TEST(Resample, NeedsTheHullOfItsOutputsNeeds) {
  Random random(5);
  for (int k = 0; k < 3000; ++k) {
    const index_t in_size = random.integer(1, 12);
    const ResampledAxis axis = random_resampled_axis(random, in_size);
    if (std::holds_alternative<KeepAxis>(axis.method)) continue;
    const index_t lo = random.integer(0, axis.size - 1);
    const Interval out{lo, random.integer(lo + 1, axis.size)};
    Interval expected;
    for (index_t o = out.lo; o < out.hi; ++o) {
      const AxisTap tap = tap_of(axis, o, in_size);
      if (tap.lo >= 0) expected = hull(expected, Interval{tap.lo, tap.hi + 1});
    }
    ASSERT_EQ(inputs_of(axis, out, in_size), expected) << "draw " << k << ", outputs " << out << " of " << in_size;
    ASSERT_TRUE((Interval{0, in_size}.contains(expected))) << "draw " << k;
  }
}

std::string refusal(Axis along, const ResampledAxis& axis) {
  Resample op;
  op[along] = axis;
  const std::vector<Shape> shapes{{.extents = {{2, 3, 1, 4, 4}}, .ndims = 4}};
  try {
    output_shape(op, shapes, "it");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Resample, RefusesInvalidParameters) {
  EXPECT_THAT(refusal(Axis::H, {TakeAxis{}, 0}), HasSubstr("at least 1"));
  EXPECT_EQ(refusal(Axis::H, {TakeAxis{.start = 2, .step = 0}, 9}), "");
  EXPECT_THAT(refusal(Axis::H, {TakeAxis{.start = 4, .step = 0}, 9}), HasSubstr("takes from 4 to 4 of the 4 inputs along h"));
  EXPECT_THAT(refusal(Axis::H, {TakeAxis{.start = 2, .step = -1}, 4}), HasSubstr("takes from 2 to -1 of the 4"));
  EXPECT_THAT(refusal(Axis::H, {TakeAxis{.step = 2, .border = Border::Wrap}, 4}), HasSubstr("step along h is 2"));
  EXPECT_EQ(refusal(Axis::C, {TakeAxis{.border = Border::Wrap}, 9}), "");
  EXPECT_THAT(refusal(Axis::H, {TakeAxis{.start = -4, .border = Border::Reflect}, 8}), HasSubstr("reflects more"));
  EXPECT_EQ(refusal(Axis::H, {TakeAxis{.start = -3, .border = Border::Reflect}, 10}), "");
  EXPECT_THAT(refusal(Axis::H, {TakeAxis{.start = -3, .border = Border::Reflect}, 11}), HasSubstr("reflects more"));
  EXPECT_THAT(refusal(Axis::C, {TakeAxis{.start = -1}, 4}), HasSubstr("not be padded"));
  EXPECT_THAT(refusal(Axis::C, {NearestAxis{.scale = 2}, 6}), HasSubstr("channels cannot be resized"));
  EXPECT_EQ(refusal(Axis::N, {TakeAxis{.start = 1}, 1}), "");
  EXPECT_THAT(refusal(Axis::N, {TakeAxis{.start = 1, .step = -1}, 2}), HasSubstr("only a run can be taken"));
  EXPECT_THAT(refusal(Axis::N, {NearestAxis{.scale = 2}, 4}), HasSubstr("samples cannot be resized"));
  EXPECT_THAT(refusal(Axis::W, {LinearAxis{.scale = 0}, 4}), HasSubstr("must be positive"));
  EXPECT_THAT(refusal(Axis::W, {TakeAxis{.start = 1, .step = index_t{1} << 62}, 4}), HasSubstr("does not fit"));
}

}  // namespace
}  // namespace parconv::test
