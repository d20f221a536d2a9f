// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/round_numbers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace parconv {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

template <class Integer>
std::vector<int> rounded(const std::vector<float>& numbers, DType type) {
  std::vector<std::byte> bytes(numbers.size() * sizeof(Integer));
  round_numbers(numbers, type, bytes);
  std::vector<int> result;
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    Integer number = 0;
    std::memcpy(&number, bytes.data() + k * sizeof(Integer), sizeof(Integer));
    result.push_back(number);
  }
  return result;
}

TEST(RoundNumbers, HalvesToEven) {
  EXPECT_EQ(rounded<std::uint8_t>({0.5F, 1.5F, 2.5F, 0.49999997F, 254.5F, -0.5F, -0.0F}, DType::U8),
            (std::vector<int>{0, 2, 2, 0, 254, 0, 0}));
  EXPECT_EQ(rounded<std::int16_t>({-0.5F, -1.5F, -2.5F, 3.7F, -3.7F, 32766.5F}, DType::I16),
            (std::vector<int>{0, -2, -2, 4, -4, 32766}));
}

TEST(RoundNumbers, IntegersSaturate) {
  EXPECT_EQ(rounded<std::uint8_t>({255.5F, 256, 1e30F, infinity, -1, -infinity, nan}, DType::U8),
            (std::vector<int>{255, 255, 255, 255, 0, 0, 0}));
  EXPECT_EQ(rounded<std::int16_t>({32767.5F, 1e30F, infinity, -32768.5F, -infinity, nan}, DType::I16),
            (std::vector<int>{32767, 32767, 32767, -32768, -32768, 0}));
}

TEST(RoundNumbers, AsTheMathLibraryRounds) {
  std::vector<float> numbers;
  for (float number = -40000; number < 40000; number += 0.37F) numbers.push_back(number);
  const std::vector<int> result = rounded<std::int16_t>(numbers, DType::I16);
  for (std::size_t k = 0; k < numbers.size(); ++k)
    ASSERT_EQ(result[k], static_cast<int>(std::fmin(std::fmax(std::nearbyint(numbers[k]), -32768.0F), 32767.0F))) << numbers[k];
}

TEST(RoundNumbers, FloatingPointTypes) {
  EXPECT_EQ(rounded<std::uint16_t>({1, 65520, 65519.996F, -infinity}, DType::F16),
            (std::vector<int>{0x3C00, 0x7C00, 0x7BFF, 0xFC00}));
  EXPECT_EQ(rounded<std::uint16_t>({1, 1.00390625F, 1.01171875F}, DType::BF16), (std::vector<int>{0x3F80, 0x3F80, 0x3F82}));
}

}  // namespace
}  // namespace parconv
