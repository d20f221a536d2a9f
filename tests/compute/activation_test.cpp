// SPDX-License-Identifier: Apache-2.0
// Activations: literal values, and the bits of the scalar formulas in every position. formulas_test has their errors.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "compute/cpu/cpu_activation.hpp"
#include "parconv/model/activation.hpp"
#include "support/compare.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

struct Row {
  Activation activation{};
  float x = 0;
  double expected = 0;
};

/// From tables, to seven digits.
const std::vector<Row> rows{
    {{ActivationKind::Sigmoid}, 0, 0.5},
    {{ActivationKind::Sigmoid}, 2, 0.8807971},
    {{ActivationKind::Sigmoid}, -100, 0},
    {{ActivationKind::Tanh}, 1, 0.7615942},
    {{ActivationKind::Tanh}, -1000, -1},
    {{ActivationKind::Elu, 2}, -1, -1.2642411},
    {{ActivationKind::Elu, 2}, 3, 3},
    {{ActivationKind::HardSigmoid, 0.25F, 0.5F}, 1, 0.75},
    {{ActivationKind::HardSigmoid, 0.25F, 0.5F}, -3, 0},
    {{ActivationKind::HardSigmoid, 0.25F, 0.5F}, 3, 1},
    {{ActivationKind::HardSwish}, 1.5F, 1.125},
    {{ActivationKind::HardSwish}, -4, 0},
    {{ActivationKind::HardSwish}, 4, 4},
    {{ActivationKind::Silu}, 2, 1.7615942},
    {{ActivationKind::Gelu}, 1, 0.8413447},
    {{ActivationKind::Gelu}, -1, -0.1586553},
    {{ActivationKind::GeluTanh}, 1, 0.8411920},
    {{ActivationKind::Exp}, 1, 2.7182818},
    {{ActivationKind::Exp}, -200, 0},
    {{ActivationKind::Erf}, 0.5F, 0.5204999},
    {{ActivationKind::Erf}, -9, -1},
    {{ActivationKind::Sqrt}, 6.25F, 2.5},
    {{ActivationKind::InverseRoot, 3}, 1, 0.5},
    {{ActivationKind::Abs}, -3.5F, 3.5},
    {{ActivationKind::Neg}, -3.5F, 3.5},
    {{ActivationKind::Floor}, -3.5F, -4},
    {{ActivationKind::Ceil}, -3.5F, -3},
    {{ActivationKind::Round}, 2.5F, 2},
    {{ActivationKind::Round}, -3.5F, -4},
    {{ActivationKind::Sign}, -0.25F, -1},
    {{ActivationKind::Sign}, 0, 0},
    {{ActivationKind::ThresholdedRelu, 1}, 1, 0},
    {{ActivationKind::ThresholdedRelu, 1}, 1.5F, 1.5},
    {{ActivationKind::Selu, 1.6732632F, 1.050701F}, -1, -1.1113307},
    {{ActivationKind::Selu, 1.6732632F, 1.050701F}, 2, 2.1014020},
    {{ActivationKind::Celu, 2}, -1, -0.7869387},
    {{ActivationKind::Celu, 2}, 3, 3},
    {{ActivationKind::Softplus}, 1, 1.3132617},
    {{ActivationKind::Softplus}, -4, 0.0181499},
    {{ActivationKind::Softplus}, 200, 200},
    {{ActivationKind::Softsign}, -3, -0.75},
    {{ActivationKind::Mish}, 1, 0.8650984},
    {{ActivationKind::Mish}, -2, -0.2525015},
    {{ActivationKind::Mish}, 200, 200},
    {{ActivationKind::Reciprocal}, -4, -0.25},
    {{ActivationKind::Log}, 10, 2.3025851},
    {{ActivationKind::Log}, 0.001F, -6.9077553},
    {{ActivationKind::Sin}, 1, 0.8414710},
    {{ActivationKind::Cos}, 1, 0.5403023},
    {{ActivationKind::Power, 2}, -3, 9},
    {{ActivationKind::Power, 0.5F}, 9, 3},
    {{ActivationKind::Power, 1.5F}, 4, 8},
    {{ActivationKind::Power, -2}, -4, 0.0625},
    {{ActivationKind::Shrink, 1, 0.5F}, -3, -2.5},
    {{ActivationKind::Shrink, 1, 0.5F}, -1, 0},
    {{ActivationKind::Shrink, 1, 0.5F}, 0.75F, 0},
    {{ActivationKind::Shrink, 1, 0.5F}, 2, 1.5},
};

float fast(const Activation& activation, float x) {
  cpu::activate_smoothly({&x, 1}, activation);
  return x;
}

TEST(Activations, LiteralValues) {
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << static_cast<int>(row.activation.kind) << " of " << row.x);
    EXPECT_NEAR(activated(row.activation, row.x), row.expected, 3e-7);
    EXPECT_NEAR(fast(row.activation, row.x), row.expected, 5e-7);
  }
}

/// Floats of all exponents and both signs, infinities and NaNs.
std::vector<float> floats_of_all_exponents() {
  std::vector<float> floats;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 130003)
    floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  for (const float special : {0.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    floats.insert(floats.end(), {special, -special});
  return floats;
}

/// The loops of this CPU's instruction set against the scalar formulas of the reference.
TEST(Activations, HaveTheBitsOfTheReference) {
  std::vector<float> numbers = Random(6).reals(5000, 0, 4);
  const std::vector<float> floats = floats_of_all_exponents();
  numbers.insert(numbers.end(), floats.begin(), floats.end());
  for (const Row& row : rows) {
    std::vector<float> values = numbers;
    cpu::activate_smoothly(values, row.activation);
    for (std::size_t k = 0; k < values.size(); ++k) {
      const float expected = activated(row.activation, numbers[k]);
      const bool are_equal = std::bit_cast<std::uint32_t>(values[k]) == std::bit_cast<std::uint32_t>(expected);
      ASSERT_TRUE(are_equal || (std::isnan(values[k]) && std::isnan(expected)))
          << static_cast<int>(row.activation.kind) << " of " << numbers[k] << ": " << values[k] << ", expected " << expected;
    }
  }
}

TEST(Activations, ExponentialKeepsTheRangeOfFloat) {
  const Activation exponential{.kind = ActivationKind::Exp};
  for (const float x : {-80.0F, 80.0F, 88.0F, 88.7F}) EXPECT_NEAR(fast(exponential, x) / std::exp(x), 1, 1e-6) << x;
  EXPECT_EQ(fast(exponential, 89), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(fast({.kind = ActivationKind::Gelu}, std::numeric_limits<float>::quiet_NaN())));
}

TEST(Activations, LogarithmKeepsTheRangeOfFloat) {
  const Activation logarithm{.kind = ActivationKind::Log};
  for (const float x : {1e-45F, 1e-40F, 1.2e-38F, 0.70710F, 0.70711F, 1.41421F, 1.41422F, 3e38F})
    EXPECT_NEAR(fast(logarithm, x) / std::log(x), 1, 1e-6) << x;
  EXPECT_EQ(fast(logarithm, 0), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(fast(logarithm, std::numeric_limits<float>::infinity()), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(fast(logarithm, -1)));
}

TEST(Activations, BitsAreIndependentOfPosition) {
  const std::vector<float> numbers = Random(5).reals(77, 0, 4);
  for (const Row& row : rows) {
    std::vector<float> together = numbers;
    cpu::activate_smoothly(together, row.activation);
    std::vector<float> alone;
    for (const float x : numbers) alone.push_back(fast(row.activation, x));
    EXPECT_TRUE(same_bits(together, alone)) << static_cast<int>(row.activation.kind);
  }
}

TEST(Activations, ComparisonsAreNotSmooth) {
  EXPECT_FALSE(cpu::is_smooth(ActivationKind::None));
  EXPECT_FALSE(cpu::is_smooth(ActivationKind::Clip));
  EXPECT_TRUE(cpu::is_smooth(ActivationKind::Sigmoid));
  EXPECT_TRUE(cpu::is_smooth(ActivationKind::Neg));
}

}  // namespace
}  // namespace parconv::test
