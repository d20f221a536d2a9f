// SPDX-License-Identifier: Apache-2.0
// 16-bit floating-point values as bit patterns: IEEE 754 half precision (f16) and bfloat16 (bf16).
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace parconv {

/// The value of an f16, exactly. NaN stays NaN.
constexpr float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = (half & 0x7fffu) << 13;  // exponent and mantissa at their positions in an f32
  const bool is_special = (half & 0x7c00u) == 0x7c00u;     // infinity or NaN
  // The exponent biases differ by 127 - 15 = 112; multiplying by 2^112 also normalises subnormals.
  const auto scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
  return std::bit_cast<float>(sign | (is_special ? magnitude | 0x7f800000u : scaled));
}

/// The nearest f16, ties to even. Overflow (beyond 65504) gives infinity; NaN stays NaN.
constexpr std::uint16_t half_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  std::uint32_t half = 0;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  } else if (magnitude >= 0x47800000u) {  // at least 65536
    half = 0x7c00u;
  } else if (magnitude < 0x38800000u) {  // below 2^-14: subnormal; near 0.5 an f32 has the same spacing, 2^-24
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<std::uint32_t>(0.5f);
  } else {
    half = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

/// The value of a bf16, exactly.
constexpr float float_from_bfloat16(std::uint16_t value) { return std::bit_cast<float>(std::uint32_t{value} << 16); }

/// The nearest bf16, ties to even; NaN stays NaN.
constexpr std::uint16_t bfloat16_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// `value` rounded to bf16.
constexpr float rounded_to_bfloat16(float value) { return float_from_bfloat16(bfloat16_from_float(value)); }

/// Array versions. Precondition: equal lengths, no overlap.
void floats_from_bfloat16(std::span<const std::uint16_t> values, std::span<float> results);
void bfloat16_from_floats(std::span<const float> values, std::span<std::uint16_t> results);

}  // namespace parconv
