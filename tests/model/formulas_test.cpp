// SPDX-License-Identifier: Apache-2.0
// Formulas of element-wise functions against the f64 functions of the C library, in units in the last place (ulp) of f32.
// The bounds hold for all 2^32 floats (AllFloats, which prints the largest errors).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <future>
#include <iostream>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "parconv/model/activation.hpp"
#include "parconv/model/formulas.hpp"

namespace parconv::test {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::uint32_t sign_bit = 0x80000000U;

float from_bits(std::uint32_t bits) { return std::bit_cast<float>(bits); }

std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }

/// |found - exact| in units in the last place of `exact`; infinite where one of them is undefined, or a zero has the wrong sign.
double error_in_ulp(float found, double exact) {
  constexpr double most = std::numeric_limits<float>::max(), none = 0, wrong = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(found)) return std::isnan(exact) == std::isnan(found) ? none : wrong;
  const auto rounded = static_cast<float>(exact);
  if (found == rounded && std::signbit(found) != std::signbit(rounded)) return wrong;
  if (found == rounded && (std::isinf(found) || static_cast<double>(found) == exact)) return none;
  if (std::isinf(found)) return std::abs(exact) > most && std::signbit(found) == std::signbit(exact) ? 1 : wrong;
  const int unit = static_cast<int>((std::bit_cast<std::uint64_t>(exact) >> 52) & 0x7ffU) - 1023 - 23;
  return std::abs(static_cast<double>(found) - exact) *
         std::bit_cast<double>(static_cast<std::uint64_t>(1023 - std::max(unit, -149)) << 52);
}

double exact_sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

double exact_softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

/// The limit of x * factor(x) at -infinity is -0.
double product(double x, double factor) { return std::isinf(x) && x < 0 ? -0.0 : x * factor; }

double exact_silu(double x) { return product(x, exact_sigmoid(x)); }

double exact_gelu(double x) { return product(x, 0.5 * std::erfc(-x / std::sqrt(2.0))); }

double exact_gelu_by_tanh(double x) {
  return product(x, exact_sigmoid(2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

double exact_mish(double x) {
  const double e = std::exp(std::min(x, 40.0)), numerator = e * (e + 2);
  return product(x, numerator / (numerator + 2));
}

/// What is known of a function outside the exponents where it is interesting, to save the C library's time.
enum class Beyond {
  Limit,     ///< above 128 and below -128, the values at infinity
  Identity,  ///< above 128 x, below -128 the value at -infinity
  Nothing
};

struct Function {
  const char* name = nullptr;
  void (*evaluate)(std::span<float>) = nullptr;
  double (*exact)(double) = nullptr;
  double most_ulp = 0;
  Beyond beyond = Beyond::Nothing;
  std::array<double, 3> series{};  ///< by powers of x, for small x; all 0 if there is none

  float operator()(float x) const {
    evaluate({&x, 1});
    return x;
  }
};

#define PARCONV_EVALUATE(formula)                       \
  #formula, [](std::span<float> values) {               \
    for (float& value : values) value = formula(value); \
  }
#define PARCONV_EXACT(function) [](double x) -> double { return function(x); }

const std::vector<Function> functions{
    {PARCONV_EVALUATE(exponential), PARCONV_EXACT(std::exp), 0.95, Beyond::Limit, {1, 1, 0.5}},
    {PARCONV_EVALUATE(exponential_less_one), PARCONV_EXACT(std::expm1), 1.6, Beyond::Limit, {0, 1, 0.5}},
    {PARCONV_EVALUATE(hyperbolic_tangent), PARCONV_EXACT(std::tanh), 1.5, Beyond::Limit, {0, 1, 0}},
    {PARCONV_EVALUATE(error_function), PARCONV_EXACT(std::erf), 1.3, Beyond::Limit, {0, 1.1283791670955126, 0}},
    {PARCONV_EVALUATE(sigmoid), exact_sigmoid, 2.5, Beyond::Limit, {0.5, 0.25, 0}},
    {PARCONV_EVALUATE(silu), exact_silu, 3.5, Beyond::Identity, {0, 0.5, 0.25}},
    {PARCONV_EVALUATE(softplus), exact_softplus, 2, Beyond::Identity, {0.69314718055994531, 0.5, 0.125}},
    {PARCONV_EVALUATE(mish), exact_mish, 4.5, Beyond::Identity, {0, 0.6, 0.32}},
    {PARCONV_EVALUATE(gelu), exact_gelu, 7.5, Beyond::Identity, {0, 0.5, 0.39894228040143268}},
    {PARCONV_EVALUATE(gelu_by_tanh), exact_gelu_by_tanh, 4, Beyond::Identity, {0, 0.5, 0.39894228040143268}},
    {PARCONV_EVALUATE(logarithm), PARCONV_EXACT(std::log), 1},
    {PARCONV_EVALUATE(logarithm_of_one_and), PARCONV_EXACT(std::log1p), 1.6, Beyond::Nothing, {0, 1, -0.5}},
    {PARCONV_EVALUATE(sine), PARCONV_EXACT(std::sin), 0.51, Beyond::Nothing, {0, 1, 0}},
    {PARCONV_EVALUATE(cosine), PARCONV_EXACT(std::cos), 0.51, Beyond::Nothing, {1, 0, -0.5}},
};

#undef PARCONV_EVALUATE
#undef PARCONV_EXACT

struct Worst {
  double ulp = 0;
  float at = 0;
};

/// The float with the given bits and every step-th after it, before `last`.
Worst worst_of(const Function& function, std::uint64_t first, std::uint64_t last, std::uint64_t step) {
  Worst worst;
  for (std::uint64_t bits = first; bits < last; bits += step) {
    const float x = from_bits(static_cast<std::uint32_t>(bits));
    const double ulp = error_in_ulp(function(x), function.exact(static_cast<double>(x)));
    if (ulp > worst.ulp) worst = {ulp, x};
  }
  return worst;
}

TEST(Formulas, AreNearTheExactResultsAtAllExponents) {
  for (const Function& function : functions) {
    const Worst worst = worst_of(function, 0, std::uint64_t{1} << 32, 20011);
    EXPECT_LE(worst.ulp, function.most_ulp) << function.name << " of " << worst.at;
  }
}

/// Where functions change their expression, or results become subnormal, 0 or infinite.
TEST(Formulas, AreNearTheExactResultsWhereExpressionsMeet) {
  constexpr std::array places{0.0F,   1.17549435e-38F, 0.41421357F, 0.55F,   0.70710678F, 0.75F, 0.9F,  1.0F,  3.92F,
                              4.0F,   9.01F,           10.0F,       13.0F,   14.2F,       14.5F, 17.3F, 18.0F, 20.0F,
                              87.34F, 88.72283F,       89.0F,       103.28F, 103.97F,     112.0F};
  for (const Function& function : functions)
    for (const float place : places)
      for (const std::uint32_t sign : {0U, sign_bit}) {
        const std::uint64_t center = bits_of(place) | sign, first = center - std::min<std::uint64_t>(center & ~sign_bit, 2000);
        const Worst worst = worst_of(function, first, center + 2000, 1);
        EXPECT_LE(worst.ulp, function.most_ulp) << function.name << " of " << worst.at;
      }
}

TEST(Formulas, TakeTheLimitsAtInfinitiesAndKeepNan) {
  for (const Function& function : functions) {
    EXPECT_TRUE(std::isnan(function(nan))) << function.name;
    EXPECT_TRUE(std::isnan(function(-nan))) << function.name;
    for (const float x : {infinity, -infinity, 0.0F, -0.0F}) {
      const auto expected = static_cast<float>(function.exact(static_cast<double>(x)));
      const float found = function(x);
      EXPECT_TRUE(bits_of(found) == bits_of(expected) || (std::isnan(found) && std::isnan(expected)))
          << function.name << " of " << x << ": " << found;
    }
  }
}

TEST(Formulas, HaveLiteralValues) {
  EXPECT_EQ(exponential(0), 1.0F);
  EXPECT_EQ(exponential(1), 2.71828175F);
  EXPECT_EQ(exponential(-103.9F), from_bits(1));
  EXPECT_EQ(exponential(-104), 0.0F);
  EXPECT_EQ(exponential(88.72284F), infinity);
  EXPECT_EQ(logarithm(1), 0.0F);
  EXPECT_EQ(logarithm(from_bits(1)), -103.278931F);
  EXPECT_EQ(hyperbolic_tangent(1e-20F), 1e-20F);
  EXPECT_EQ(hyperbolic_tangent(9.1F), 1.0F);
  EXPECT_EQ(error_function(-4), -1.0F);
  EXPECT_EQ(sigmoid(0), 0.5F);
  EXPECT_EQ(sigmoid(-103.9F), from_bits(1));
  EXPECT_EQ(gelu(infinity), infinity);
  EXPECT_EQ(sine(1e22F), -0.7340815F);
  EXPECT_EQ(cosine(3e38F), static_cast<float>(std::cos(static_cast<double>(3e38F))));
}

TEST(Formulas, AreOddOrEven) {
  for (std::uint64_t bits = 0; bits < 0x7f800000U; bits += 10007) {
    const float x = from_bits(static_cast<std::uint32_t>(bits));
    for (const auto odd : {hyperbolic_tangent, error_function, sine})
      ASSERT_EQ(bits_of(odd(-x)), bits_of(odd(x)) ^ sign_bit) << x;
    ASSERT_EQ(bits_of(cosine(-x)), bits_of(cosine(x))) << x;
  }
}

/// Over steps of many ulp, rounding errors do not show.
TEST(Formulas, Rise) {
  for (const auto rising : {exponential, exponential_less_one, hyperbolic_tangent, error_function, sigmoid, softplus}) {
    float last = rising(-30.0F);
    for (float x = -30; x < 30; x += 0.001F) {
      const float next = rising(x);
      ASSERT_GE(next, last) << x;
      last = next;
    }
  }
}

TEST(Formulas, WithConstantsAreNear) {
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 30011) {
    const float x = from_bits(static_cast<std::uint32_t>(bits));
    const auto wide = static_cast<double>(x);
    if (std::isnan(x)) continue;
    ASSERT_LE(error_in_ulp(elu(x, 1), x < 0 ? std::expm1(wide) : wide), 1.6) << x;
    ASSERT_LE(error_in_ulp(celu(x, 2), x < 0 ? 2 * std::expm1(wide / 2) : wide), 1.6) << x;
    const double below = static_cast<double>(1.6732632F) * std::expm1(wide);
    ASSERT_LE(error_in_ulp(selu(x, 1.6732632F, 1.050701F), static_cast<double>(1.050701F) * (x > 0 ? wide : below)), 3) << x;
  }
}

TEST(Power, IsNearTheExactResult) {
  constexpr std::array exponents{1.7F, -0.3F, 0.5F, -5.0F, 2.0F, 3.0F, 1e-3F, 40.5F, 16777217.0F, -16777215.0F, 1e30F, 1e-40F};
  constexpr std::array bases{1.3F, 0.9999F, 1.0000001F, 1e-40F, 3e38F, 2.0F, -1.5F, -2.0F, 0.1F};
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 50021) {
    const float x = from_bits(static_cast<std::uint32_t>(bits));
    const auto wide = static_cast<double>(x);
    for (const float y : exponents)
      ASSERT_LE(error_in_ulp(power(x, y), std::pow(wide, static_cast<double>(y))), 0.51) << x << " " << y;
    for (const float y : bases)
      ASSERT_LE(error_in_ulp(power(y, x), std::pow(static_cast<double>(y), wide)), 0.51) << y << " " << x;
  }
}

/// ISO C, F.10.4.4, holds for the C library's pow too.
TEST(Power, HasTheSpecialCasesOfC) {
  const std::array numbers{0.0F, 1.0F, 0.5F, 2.0F, 3.0F, 2.5F, 1e-45F, 3e38F, 8388609.0F, 16777216.0F, infinity, nan};
  for (const float x : numbers)
    for (const float y : numbers)
      for (const float base : {x, -x})
        for (const float exponent : {y, -y}) {
          const auto expected = static_cast<float>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
          const float found = power(base, exponent);
          EXPECT_TRUE(bits_of(found) == bits_of(expected) || (std::isnan(found) && std::isnan(expected)))
              << base << "^" << exponent << ": " << found << ", expected " << expected;
        }
}

TEST(Power, OfLrnTakesRootsWhereTheySuffice) {
  EXPECT_EQ(lrn_power(3, 1), 3.0F);
  EXPECT_EQ(lrn_power(9, 0.5F), 3.0F);
  EXPECT_EQ(lrn_power(16, 0.75F), 8.0F);
  EXPECT_EQ(lrn_power(5, 0.6F), power(5, 0.6F));
}

/// The exact result; a series saves the C library's time.
double known(const Function& function, float x) {
  const auto wide = static_cast<double>(x);
  const auto& [value, slope, curvature] = function.series;
  const bool is_tiny = std::fabs(x) < 1.52587891e-5F && slope != curvature;
  return is_tiny && x != 0 ? value + wide * (slope + wide * curvature) : function.exact(wide);
}

/// True if the results of values of one sign and beyond 128, or of NaNs, are those that are known.
bool are_known(const Function& function, std::span<const float> values, std::span<const float> results) {
  const float limit = function(values.front() < 0 ? -infinity : infinity);
  const bool is_identity = function.beyond == Beyond::Identity && values.front() > 0, are_nan = std::isnan(values.front());
  std::uint32_t difference = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const std::uint32_t expected = bits_of(is_identity ? values[k] : limit);
    difference |= are_nan ? static_cast<std::uint32_t>(results[k] == results[k]) : bits_of(results[k]) ^ expected;
  }
  return difference == 0;
}

/// All floats of one sign. Infinities have tests of their own.
Worst worst_of_sign(const Function& function, std::uint32_t sign) {
  constexpr std::uint32_t block = 4096;
  Worst worst;
  std::vector<float> values(block), results(block);
  for (std::uint32_t first = 0; first < sign_bit; first += block) {
    for (std::uint32_t k = 0; k < block; ++k) results[k] = values[k] = from_bits((first + k) | sign);
    function.evaluate(results);
    const bool is_beyond = first > bits_of(128.0F) && function.beyond != Beyond::Nothing;
    if (first == bits_of(infinity)) continue;
    if ((is_beyond || first > bits_of(infinity)) && are_known(function, values, results)) continue;
    for (std::uint32_t k = 0; k < block; ++k) {
      const double ulp = error_in_ulp(results[k], known(function, values[k]));
      if (ulp > worst.ulp) worst = {ulp, values[k]};
    }
  }
  return worst;
}

TEST(AllFloats, AreNearTheExactResults) {
  for (const Function& function : functions) {
    auto negative = std::async(std::launch::async, worst_of_sign, function, sign_bit);
    const Worst above = worst_of_sign(function, 0), below = negative.get();
    const Worst worst = above.ulp > below.ulp ? above : below;
    std::cout << function.name << ": " << worst.ulp << " ulp at " << worst.at << std::endl;
    EXPECT_LE(worst.ulp, function.most_ulp) << function.name << " of " << worst.at;
  }
}

}  // namespace
}  // namespace parconv::test
