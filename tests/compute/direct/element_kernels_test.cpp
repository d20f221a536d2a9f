// SPDX-License-Identifier: Apache-2.0
// The conversions of the tile kernels have the bits of parconv/tensor/half.hpp under every instruction set.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "compute/direct/tiles/tile.hpp"
#include "parconv/tensor/half.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

using direct::ElementType;

struct Kind {
  ElementType type;
  float (*widened)(std::uint16_t);
  std::uint16_t (*narrowed)(float);
};
constexpr std::array kinds{Kind{ElementType::BF16, float_from_bfloat16, bfloat16_from_float},
                           Kind{ElementType::F16, float_from_half, half_from_float}};

std::vector<const direct::TileKernels*> supported_kernels() {
  std::vector<const direct::TileKernels*> kernels;
  for (const auto set : {direct::InstructionSet::Portable, direct::InstructionSet::Avx2, direct::InstructionSet::Avx512})
    if (direct::is_supported(set)) kernels.push_back(&direct::tile_kernels(set));
  return kernels;
}

const direct::ElementKernels& kernels_of(const direct::TileKernels& kernels, const Kind& kind) {
  return kernels.elements[static_cast<std::size_t>(kind.type)];
}

TEST(ElementKernels, WidenEveryPattern) {
  std::vector<std::uint16_t> patterns(65535);  // odd: a part of a vector remains
  std::iota(patterns.begin(), patterns.end(), std::uint16_t{0});
  for (const direct::TileKernels* kernels : supported_kernels())
    for (const Kind& kind : kinds) {
      std::vector<float> values(patterns.size());
      kernels_of(*kernels, kind).widen(reinterpret_cast<const std::byte*>(patterns.data()), values.data(), std::ssize(values));
      for (std::size_t k = 0; k < patterns.size(); ++k) {
        const float expected = kind.widened(patterns[k]);
        if (std::isnan(expected))
          ASSERT_TRUE(std::isnan(values[k])) << patterns[k];
        else
          ASSERT_EQ(std::bit_cast<std::uint32_t>(values[k]), std::bit_cast<std::uint32_t>(expected)) << patterns[k];
      }
    }
}

/// Every 16-bit upper half with the lower halves around ties, and random bits.
std::vector<float> numbers_to_round() {
  std::vector<float> numbers;
  for (std::uint32_t high = 0; high < 0x10000; ++high)
    for (const std::uint32_t low : {0x0000U, 0x0001U, 0x0fffU, 0x1000U, 0x1001U, 0x7fffU, 0x8000U, 0x8001U, 0xffffU})
      numbers.push_back(std::bit_cast<float>(high << 16 | low));
  Random random(3);
  for (int k = 0; k < 300000; ++k)
    numbers.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random.integer(0, 0xffffffff))));
  return numbers;
}

TEST(ElementKernels, RoundToTheNearest) {
  std::vector<float> numbers = numbers_to_round();
  for (const direct::TileKernels* kernels : supported_kernels())
    for (const Kind& kind : kinds) {
      std::vector<std::uint16_t> results(numbers.size());
      auto* dst = reinterpret_cast<std::byte*>(results.data());
      kernels_of(*kernels, kind)
          .store({.results = numbers.data(), .dst = &dst, .num_pixels = 1, .channels = std::ssize(numbers)});
      for (std::size_t k = 0; k < numbers.size(); ++k) ASSERT_EQ(results[k], kind.narrowed(numbers[k])) << numbers[k];
    }
}

}  // namespace
}  // namespace parconv::test
