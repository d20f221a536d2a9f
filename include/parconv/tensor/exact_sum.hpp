// SPDX-License-Identifier: Apache-2.0
// Exact sums of f32 numbers: added in any order, joined in any order, rounded once. On CPUs and GPUs.
#pragma once

#include <bit>
#include <cstdint>

#include "parconv/core/host_device_macros.hpp"
#include "parconv/core/types.hpp"

namespace parconv {

/// The exact sum of up to 2^41 finite f32 numbers as a fixed-point number, a long accumulator as of Kulisch ("Computer Arithmetic
/// and Validity", 2013, chapter 8): two's complement of 320 bits in units of 2^-149, the lowest word first. Infinities and NaNs
/// are remembered aside. Two accumulators are equal, word by word, exactly if their sums are.
struct ExactSum {
  static constexpr int num_words = 5;
  enum Special : std::uint64_t { has_infinity = 1, has_minus_infinity = 2, has_nan = 4 };

  std::uint64_t words[num_words] = {};
  std::uint64_t specials = 0;  ///< a union of Special

  friend bool operator==(const ExactSum&, const ExactSum&) = default;
};
static_assert(sizeof(ExactSum) == size_of(DType::Accumulator));

namespace exact_sum_detail {

PARCONV_HOST_DEVICE inline void add_word(ExactSum& sum, int k, std::uint64_t word) {
  for (; k < ExactSum::num_words && word != 0; ++k) {
    sum.words[k] += word;
    word = sum.words[k] < word ? 1 : 0;
  }
}

PARCONV_HOST_DEVICE inline void subtract_word(ExactSum& sum, int k, std::uint64_t word) {
  for (; k < ExactSum::num_words && word != 0; ++k) {
    const std::uint64_t before = sum.words[k];
    sum.words[k] = before - word;
    word = before < word ? 1 : 0;
  }
}

/// Adds +-mantissa * 2^(shift - 149).
PARCONV_HOST_DEVICE inline void add_shifted(ExactSum& sum, std::uint64_t mantissa, int shift, bool is_negative) {
  const int k = shift / 64, offset = shift % 64;
  const std::uint64_t low = mantissa << offset;
  const std::uint64_t high = offset > 0 ? mantissa >> (64 - offset) : 0;
  if (is_negative) {
    subtract_word(sum, k, low);
    subtract_word(sum, k + 1, high);
  } else {
    add_word(sum, k, low);
    add_word(sum, k + 1, high);
  }
}

/// The number of the highest bit that is set. Precondition: word != 0.
PARCONV_HOST_DEVICE inline int highest_bit(std::uint64_t word) {
  int bit = 0;
  for (int step = 32; step > 0; step /= 2) {
    if (word >> step == 0) continue;
    word >>= step;
    bit += step;
  }
  return bit;
}

/// Bits [first, first + 64) of a non-negative number, as far as it has them.
PARCONV_HOST_DEVICE inline std::uint64_t bits_from(const std::uint64_t (&words)[ExactSum::num_words], int first) {
  const int k = first / 64, offset = first % 64;
  const std::uint64_t high = offset > 0 && k + 1 < ExactSum::num_words ? words[k + 1] << (64 - offset) : 0;
  return words[k] >> offset | high;
}

PARCONV_HOST_DEVICE inline bool has_bits_below(const std::uint64_t (&words)[ExactSum::num_words], int end) {
  for (int k = 0; k < end / 64; ++k)
    if (words[k] != 0) return true;
  return end % 64 > 0 && words[end / 64] << (64 - end % 64) != 0;
}

/// The f32 nearest to a positive number, ties to even, as bits.
PARCONV_HOST_DEVICE inline std::uint32_t nearest_bits(const std::uint64_t (&words)[ExactSum::num_words], int highest) {
  constexpr int mantissa_bits = 24, infinity = 0x7f800000;
  const int dropped = highest + 1 - mantissa_bits;
  if (dropped <= 0) return static_cast<std::uint32_t>(words[0]);  // exact: with bit 23 it is normal, without it subnormal
  const auto exponent = static_cast<std::uint32_t>(dropped + 1);
  if (exponent >= 255) return infinity;
  const auto mantissa = static_cast<std::uint32_t>(bits_from(words, dropped) & 0xffffff);
  const bool is_above_half = (bits_from(words, dropped - 1) & 1) != 0;
  const bool is_up = is_above_half && ((mantissa & 1) != 0 || has_bits_below(words, dropped - 1));
  return ((exponent - 1) << 23) + mantissa + (is_up ? 1 : 0);  // a carry goes into the exponent, and at last to infinity
}

}  // namespace exact_sum_detail

/// sum += number.
PARCONV_HOST_DEVICE inline void add(ExactSum& sum, float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  const bool is_negative = bits >> 31 != 0;
  const std::uint32_t exponent = bits >> 23 & 0xff, fraction = bits & 0x7fffff;
  if (exponent == 255) {
    sum.specials |= fraction != 0 ? ExactSum::has_nan : is_negative ? ExactSum::has_minus_infinity : ExactSum::has_infinity;
    return;
  }
  if (exponent == 0)
    exact_sum_detail::add_shifted(sum, fraction, 0, is_negative);
  else
    exact_sum_detail::add_shifted(sum, fraction | 0x800000, static_cast<int>(exponent) - 1, is_negative);
}

/// sum += number. Precondition: finite, a multiple of 2^-149, and of magnitude below 2^150.
PARCONV_HOST_DEVICE inline void add(ExactSum& sum, double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number);
  if (bits << 1 == 0) return;
  std::uint64_t mantissa = (bits & 0xfffffffffffff) | std::uint64_t{1} << 52;
  int shift = static_cast<int>(bits >> 52 & 0x7ff) - 1075 + 149;
  if (shift < 0) {
    mantissa >>= -shift;  // zeros, by the precondition
    shift = 0;
  }
  exact_sum_detail::add_shifted(sum, mantissa, shift, bits >> 63 != 0);
}

/// sum += other.
PARCONV_HOST_DEVICE inline void add(ExactSum& sum, const ExactSum& other) {
  std::uint64_t carry = 0;
  for (int k = 0; k < ExactSum::num_words; ++k) {
    const std::uint64_t with_carry = sum.words[k] + carry;
    carry = with_carry < carry ? 1 : 0;
    sum.words[k] = with_carry + other.words[k];
    carry += sum.words[k] < with_carry ? 1 : 0;
  }
  sum.specials |= other.specials;
}

/// The f32 nearest to the sum, ties to even; +0 if the sum is 0. NaN if a NaN or both infinities were added.
PARCONV_HOST_DEVICE inline float rounded(const ExactSum& sum) {
  constexpr std::uint64_t both = ExactSum::has_infinity | ExactSum::has_minus_infinity;
  if ((sum.specials & ExactSum::has_nan) != 0 || (sum.specials & both) == both) return std::bit_cast<float>(0x7fc00000);
  if (sum.specials != 0) return std::bit_cast<float>(sum.specials == ExactSum::has_infinity ? 0x7f800000U : 0xff800000U);
  const bool is_negative = sum.words[ExactSum::num_words - 1] >> 63 != 0;
  std::uint64_t magnitude[ExactSum::num_words];
  std::uint64_t carry = is_negative ? 1 : 0;
  for (int k = 0; k < ExactSum::num_words; ++k) {
    magnitude[k] = (is_negative ? ~sum.words[k] : sum.words[k]) + carry;
    carry = carry != 0 && magnitude[k] == 0 ? 1 : 0;
  }
  for (int k = ExactSum::num_words - 1; k >= 0; --k) {
    if (magnitude[k] == 0) continue;
    const int highest = 64 * k + exact_sum_detail::highest_bit(magnitude[k]);
    const std::uint32_t bits = exact_sum_detail::nearest_bits(magnitude, highest);
    return std::bit_cast<float>(bits | (is_negative ? 0x80000000U : 0U));
  }
  return 0;
}

}  // namespace parconv
