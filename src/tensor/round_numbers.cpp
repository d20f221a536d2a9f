// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/round_numbers.hpp"

#include <cstring>
#include <limits>

#include "parconv/core/error.hpp"
#include "tensor/number_rows.hpp"

namespace parconv {
namespace {

/// Adding this to a number below 2^22 leaves no bits for a fraction: the sum is rounded as numbers are, halves to even.
constexpr float rounding_offset = 0x1.8p23F;

template <class Integer>
void saturate(std::span<const float> numbers, std::byte* results) {
  constexpr float least = std::numeric_limits<Integer>::min(), most = std::numeric_limits<Integer>::max();
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    const float number = numbers[k] == numbers[k] ? numbers[k] : 0;
    const float clipped = number < least ? least : number > most ? most : number;
    const auto rounded = static_cast<Integer>((clipped + rounding_offset) - rounding_offset);
    std::memcpy(results + k * sizeof(Integer), &rounded, sizeof(Integer));
  }
}

}  // namespace

void round_numbers(std::span<const float> numbers, DType type, std::span<std::byte> results) {
  PARCONV_EXPECT(results.size() == numbers.size() * size_of(type), results.size(), " bytes for ", numbers.size());
  if (type == DType::U8) return saturate<std::uint8_t>(numbers, results.data());
  if (type == DType::I16) return saturate<std::int16_t>(numbers, results.data());
  row_from_floats(numbers, type, results.data());
}

}  // namespace parconv
