// SPDX-License-Identifier: Apache-2.0
// 16-bit floats compared with their definition, for all bit patterns.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "parconv/tensor/half.hpp"

namespace parconv {
namespace {

/// The definition: (-1)^sign * 2^(exponent - bias) * 1.mantissa.
double value_by_definition(std::uint32_t bits, int mantissa_bits, int bias) {
  const int exponent_mask = 2 * bias + 1;
  const auto mantissa = static_cast<double>(bits & ((1u << mantissa_bits) - 1u));
  const int exponent = static_cast<int>(bits >> mantissa_bits) & exponent_mask;
  const double sign = (bits & 0x8000u) != 0 ? -1.0 : 1.0;
  if (exponent == exponent_mask) return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + std::ldexp(1.0, mantissa_bits), exponent - bias - mantissa_bits);
}

TEST(Half, EveryBitPatternRoundTrips) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_half(half);
    const double expected = value_by_definition(bits, 10, 15);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(float_from_half(half_from_float(value)))) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(value), expected) << bits;
      ASSERT_EQ(half_from_float(value), half) << bits;
    }
  }
}

TEST(Half, RoundsToTheNearestWithTiesToEven) {
  for (std::uint32_t bits = 0; bits < 0x7bffu; ++bits) {
    const float below = float_from_half(static_cast<std::uint16_t>(bits));
    const float above = float_from_half(static_cast<std::uint16_t>(bits + 1));
    const float middle = below + (above - below) / 2;  // exact: 11 significant bits and one more
    const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(half_from_float(middle), even) << bits;
    ASSERT_EQ(half_from_float(std::nextafter(middle, 0.0f)), bits) << bits;
    ASSERT_EQ(half_from_float(std::nextafter(middle, 1e9f)), bits + 1) << bits;
    ASSERT_EQ(half_from_float(-middle), 0x8000u | even) << bits;
  }
}

TEST(Half, LiteralEnds) {
  EXPECT_EQ(half_from_float(65504.0f), 0x7bff);
  EXPECT_EQ(half_from_float(65519.99f), 0x7bff);
  EXPECT_EQ(half_from_float(65520.0f), 0x7c00);
  EXPECT_EQ(half_from_float(1e30f), 0x7c00);
  EXPECT_EQ(half_from_float(-std::numeric_limits<float>::infinity()), 0xfc00);
  EXPECT_EQ(half_from_float(1e-30f), 0x0000);
  EXPECT_EQ(half_from_float(-0.0f), 0x8000);
}

TEST(Bfloat16, EveryBitPatternRoundTrips) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const auto number = static_cast<std::uint16_t>(bits);
    const float value = float_from_bfloat16(number);
    const double expected = value_by_definition(bits, 7, 127);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(float_from_bfloat16(bfloat16_from_float(value)))) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(value), expected) << bits;
      ASSERT_EQ(bfloat16_from_float(value), number) << bits;
    }
  }
}

TEST(Bfloat16, RoundsToTheNearestWithTiesToEven) {
  EXPECT_EQ(bfloat16_from_float(1.0f + 0x1p-8f), 0x3f80);  // halfway between 1 and 1 + 2^-7: rounded to even
  EXPECT_EQ(bfloat16_from_float(1.0f + 0x1p-8f + 0x1p-20f), 0x3f81);
  EXPECT_EQ(bfloat16_from_float(1.0f + 0x1p-7f + 0x1p-8f), 0x3f82);  // a tie, rounded up
  EXPECT_EQ(bfloat16_from_float(std::numeric_limits<float>::max()), 0x7f80);
}

TEST(Bfloat16, ManyAtOnceAreRoundedLikeEachAlone) {
  std::vector<float> values{0.0F, -0.0F, 1e-40F, 3.4e38F, std::numeric_limits<float>::infinity(), std::nanf("")};
  for (std::uint32_t bits = 0; bits < 0xfff00000u; bits += 0x00012345u) values.push_back(std::bit_cast<float>(bits));
  std::vector<std::uint16_t> rounded(values.size());
  bfloat16_from_floats(values, rounded);
  std::vector<float> widened(values.size());
  floats_from_bfloat16(rounded, widened);
  for (std::size_t k = 0; k < values.size(); ++k) {
    ASSERT_EQ(rounded[k], bfloat16_from_float(values[k])) << values[k];
    ASSERT_EQ(std::bit_cast<std::uint32_t>(widened[k]), std::bit_cast<std::uint32_t>(float_from_bfloat16(rounded[k])));
  }
}

}  // namespace
}  // namespace parconv
