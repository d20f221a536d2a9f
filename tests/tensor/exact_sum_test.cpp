// SPDX-License-Identifier: Apache-2.0
// Exact sums: literal cases of rounding, and sums that a different method knows exactly.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "parconv/tensor/exact_sum.hpp"

namespace parconv {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float largest = std::numeric_limits<float>::max();
constexpr float smallest = std::numeric_limits<float>::denorm_min();

ExactSum accumulator_of(const std::vector<float>& numbers) {
  ExactSum sum;
  for (const float number : numbers) add(sum, number);
  return sum;
}

float sum_of(const std::vector<float>& numbers) { return rounded(accumulator_of(numbers)); }

std::uint32_t bits_of(float number) { return std::bit_cast<std::uint32_t>(number); }

/// Any finite number, each exponent as likely as another.
float any_number(std::mt19937& random) {
  while (true) {
    const float number = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(number)) return number;
  }
}

TEST(ExactSum, OfOneNumberIsThatNumber) {
  std::mt19937 random(1);
  for (int k = 0; k < 100'000; ++k) {
    const float number = any_number(random);
    ASSERT_EQ(bits_of(sum_of({number})), bits_of(number == 0 ? 0.0F : number)) << number;
  }
  for (const float number : {smallest, -smallest, largest, -largest, std::numeric_limits<float>::min()})
    EXPECT_EQ(bits_of(sum_of({number})), bits_of(number));
}

TEST(ExactSum, RoundsToTheNearestAndTiesToEven) {
  const float half_step = 0x1p-24F;  // half of the distance from 1 to the next number
  EXPECT_EQ(sum_of({1, half_step}), 1);
  EXPECT_EQ(sum_of({1, half_step, smallest}), 1 + 0x1p-23F);
  EXPECT_EQ(sum_of({1, half_step, -smallest}), 1);
  EXPECT_EQ(sum_of({1 + 0x1p-23F, half_step}), 1 + 0x1p-22F) << "to even";
  EXPECT_EQ(sum_of({-1 - 0x1p-23F, -half_step}), -1 - 0x1p-22F);
  EXPECT_EQ(sum_of({2 - 0x1p-23F, half_step}), 2) << "a carry into the exponent";
  EXPECT_EQ(sum_of({0x1p-126F, -smallest}), 0x1p-126F - smallest) << "subnormal";
}

TEST(ExactSum, CancelsWithoutARest) {
  EXPECT_EQ(sum_of({1e30F, 1, -1e30F, 2}), 3);
  EXPECT_EQ(sum_of({largest, largest, smallest, -largest, -largest}), smallest);
  EXPECT_EQ(bits_of(sum_of({-0.0F, -0.0F})), 0U) << "+0";
  EXPECT_EQ(bits_of(sum_of({-1, 1})), 0U);
  EXPECT_EQ(bits_of(sum_of({})), 0U);
}

TEST(ExactSum, OverflowsWhereTheRoundedSumDoes) {
  EXPECT_EQ(sum_of({largest, largest}), infinity);
  EXPECT_EQ(sum_of({-largest, -largest, -largest}), -infinity);
  EXPECT_EQ(sum_of({largest, 0x1p102F}), largest) << "below the half step";
  EXPECT_EQ(sum_of({largest, 0x1p103F}), infinity) << "the half step, to even";
  EXPECT_EQ(sum_of({largest, largest, -largest}), largest) << "not on the way";
}

TEST(ExactSum, RemembersInfinitiesAndNaNs) {
  EXPECT_EQ(sum_of({infinity, -largest, 1}), infinity);
  EXPECT_EQ(sum_of({3, -infinity, -infinity}), -infinity);
  EXPECT_TRUE(std::isnan(sum_of({infinity, 1, -infinity})));
  EXPECT_TRUE(std::isnan(sum_of({1, std::nanf(""), 2})));
  EXPECT_TRUE(std::isnan(sum_of({infinity, std::nanf("")})));
}

__extension__ typedef __int128 Wide;

/// The number nearest to units * 2^-64, ties to even.
float nearest(Wide units) {
  const bool is_negative = units < 0;
  if (is_negative) units = -units;
  int exponent = -64;
  bool is_inexact = false;
  for (; units >= Wide{1} << 25; units /= 2, ++exponent) is_inexact = is_inexact || units % 2 != 0;
  if (units >= Wide{1} << 24) {  // 25 bits, of which the last is a half
    const bool is_half = units % 2 != 0;
    units /= 2;
    ++exponent;
    if (is_half && (is_inexact || units % 2 != 0)) ++units;
  }
  return std::ldexp(static_cast<float>(units), exponent) * (is_negative ? -1.0F : 1.0F);
}

/// 128 bits are exact for sums of numbers from 2^-64 to 2^40 in size.
TEST(ExactSum, EqualsIntegersOfEnoughBits) {
  struct Term {
    int mantissa = 0;
    int exponent = 0;
  };
  std::mt19937 random(2);
  for (int trial = 0; trial < 20'000; ++trial) {
    std::vector<Term> terms(1 + random() % 40);
    for (Term& term : terms) term = {static_cast<int>(random() % (1 << 25)) - (1 << 24), static_cast<int>(random() % 80) - 64};
    if (trial % 3 == 0)  // all but the first cancel
      for (std::size_t k = terms.size(); k-- > 1;) terms.push_back({-terms[k].mantissa, terms[k].exponent});
    Wide exact = 0;
    std::vector<float> numbers;
    for (const Term& term : terms) {
      exact += Wide{term.mantissa} * (Wide{1} << (term.exponent + 64));
      numbers.push_back(std::ldexp(static_cast<float>(term.mantissa), term.exponent));
    }
    ASSERT_EQ(sum_of(numbers), nearest(exact)) << trial;
  }
}

TEST(ExactSum, DependsOnNeitherOrderNorGrouping) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 2'000; ++trial) {
    std::vector<float> numbers(1 + random() % 50);
    for (float& number : numbers) number = any_number(random);
    const ExactSum whole = accumulator_of(numbers);
    std::shuffle(numbers.begin(), numbers.end(), random);
    EXPECT_EQ(accumulator_of(numbers), whole);
    const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(random() % numbers.size());
    ExactSum first = accumulator_of({numbers.begin(), middle});
    add(first, accumulator_of({middle, numbers.end()}));
    EXPECT_EQ(first, whole);
  }
}

TEST(ExactSum, TakesSumsOfF64) {
  std::mt19937 random(4);
  for (int trial = 0; trial < 10'000; ++trial) {
    const float a = any_number(random);
    const float b = std::ldexp(static_cast<float>(random() % 1000), std::ilogb(a == 0 ? 1 : a) - 20);
    const double sum = static_cast<double>(a) + static_cast<double>(b);
    ExactSum both;
    add(both, sum);
    ASSERT_EQ(both, accumulator_of({a, b})) << a << " + " << b;
  }
}

}  // namespace
}  // namespace parconv
