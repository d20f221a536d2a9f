// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/window.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace parconv {
namespace {

TEST(WindowAxis, WorkedExamples) {
  const WindowAxis strided{.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 1};
  EXPECT_EQ(strided.input_range({2, 4}), (Interval{3, 8}));
  EXPECT_EQ(strided.input_range({0, 1}), (Interval{-1, 2}));
  EXPECT_EQ(strided.clipped_input_range({0, 1}, 10), (Interval{0, 2}));
  EXPECT_EQ(strided.output_size(224), 112);
  const WindowAxis dilated{.kernel = 3, .stride = 1, .pad_lo = 4, .pad_hi = 4, .dilation = 4};
  EXPECT_EQ(dilated.span(), 9);
  EXPECT_EQ(dilated.output_size(20), 20);
  EXPECT_EQ(dilated.input_range({5, 6}), (Interval{1, 10}));
}

TEST(WindowAxis, AsymmetricPaddingBelongsToTheTensor) {
  const WindowAxis window{.kernel = 2, .stride = 1, .pad_lo = 0, .pad_hi = 1};
  EXPECT_EQ(window.output_size(5), 5);
  EXPECT_EQ(window.input_range({4, 5}), (Interval{4, 6}));
  EXPECT_EQ(window.clipped_input_range({4, 5}, 5), (Interval{4, 5}));
}

TEST(WindowAxis, OutputsInPaddingNeedNoInput) {
  const WindowAxis window{.kernel = 1, .stride = 1, .pad_lo = 2, .pad_hi = 2};
  EXPECT_TRUE(window.clipped_input_range({0, 2}, 3).is_empty());
  EXPECT_EQ(window.clipped_input_range({0, 3}, 3), (Interval{0, 1}));
  EXPECT_TRUE(window.clipped_input_range({5, 7}, 3).is_empty());
}

TEST(WindowAxis, EmptyOutputNeedsNoInput) { EXPECT_TRUE((WindowAxis{.kernel = 3}.input_range({4, 4}).is_empty())); }

TEST(WindowAxis, NoOutputsIfThePaddedInputIsShorterThanTheWindow) {
  EXPECT_EQ((WindowAxis{.kernel = 5, .pad_lo = 1}.output_size(3)), 0);
  EXPECT_EQ((WindowAxis{.kernel = 5, .pad_lo = 1}.output_size(4)), 1);
}

/// Brute-force oracle: the inputs read by the taps of outputs `out`.
std::set<index_t> taps(const WindowAxis& window, Interval out) {
  std::set<index_t> inputs;
  for (index_t o = out.lo; o < out.hi; ++o)
    for (index_t t = 0; t < window.kernel; ++t) inputs.insert(o * window.stride - window.pad_lo + t * window.dilation);
  return inputs;
}

/// Brute-force oracle: counts outputs whose first and last taps are inside the padded input.
index_t count_outputs(const WindowAxis& window, index_t in_size) {
  index_t count = 0;
  while (*taps(window, {count, count + 1}).rbegin() < in_size + window.pad_hi) ++count;
  return count;
}

TEST(WindowAxis, AgreesWithEnumeratedTaps) {
  std::mt19937 random(2);
  const auto pick = [&](index_t lo, index_t hi) { return std::uniform_int_distribution<index_t>(lo, hi)(random); };
  for (int trial = 0; trial < 3000; ++trial) {
    const WindowAxis window{
        .kernel = pick(1, 5), .stride = pick(1, 4), .pad_lo = pick(0, 4), .pad_hi = pick(0, 4), .dilation = pick(1, 3)};
    const index_t in_size = pick(1, 12);
    EXPECT_EQ(window.output_size(in_size), count_outputs(window, in_size));
    const index_t lo = pick(0, 6);
    const Interval out{lo, lo + pick(1, 5)};
    const std::set<index_t> inputs = taps(window, out);
    EXPECT_EQ(window.input_range(out), (Interval{*inputs.begin(), *inputs.rbegin() + 1}));
    const Interval clipped = window.clipped_input_range(out, in_size);
    for (index_t input : inputs)
      EXPECT_TRUE(input < 0 || input >= in_size || (clipped.lo <= input && input < clipped.hi)) << input;
    EXPECT_TRUE((Interval{0, in_size}.contains(clipped)));
    EXPECT_TRUE(window.input_range(out).contains(clipped));
  }
}

TEST(Window, IsIndexedByItsSpatialAxis) {
  Window window;
  window[Axis::H].kernel = 3;
  EXPECT_EQ(window.axes[1].kernel, 3);
  EXPECT_TRUE(is_spatial(Axis::D) && is_spatial(Axis::W));
  EXPECT_FALSE(is_spatial(Axis::C) || is_spatial(Axis::N));
}

}  // namespace
}  // namespace parconv
