// SPDX-License-Identifier: Apache-2.0
#include "tensor/number_rows.hpp"

#include <cstring>

#include "parconv/core/error.hpp"
#include "parconv/tensor/cpu_dispatch.hpp"
#include "parconv/tensor/half.hpp"

namespace parconv {
namespace {

/// Bit patterns of f16 or bf16.
struct Half {
  std::uint16_t bits = 0;
};
struct Bfloat16 {
  std::uint16_t bits = 0;
};

float to_float(Half value) { return float_from_half(value.bits); }
float to_float(Bfloat16 value) { return float_from_bfloat16(value.bits); }
template <class T>
float to_float(T value) {
  return static_cast<float>(value);
}

template <class T>
[[gnu::always_inline]] inline void widen(const std::byte* row, float* results, std::size_t count) {
  PARCONV_INDEPENDENT
  for (std::size_t k = 0; k < count; ++k) {
    T value;
    std::memcpy(&value, row + k * sizeof(T), sizeof(T));
    results[k] = to_float(value);
  }
}

// Clones per instruction set are made of functions, not of templates.
PARCONV_FOR_EVERY_CPU
void widen_f64(const std::byte* row, float* results, std::size_t count) { widen<double>(row, results, count); }
PARCONV_FOR_EVERY_CPU
void widen_f16(const std::byte* row, float* results, std::size_t count) { widen<Half>(row, results, count); }
PARCONV_FOR_EVERY_CPU
void widen_bf16(const std::byte* row, float* results, std::size_t count) { widen<Bfloat16>(row, results, count); }
PARCONV_FOR_EVERY_CPU
void widen_u8(const std::byte* row, float* results, std::size_t count) { widen<std::uint8_t>(row, results, count); }
PARCONV_FOR_EVERY_CPU
void widen_i8(const std::byte* row, float* results, std::size_t count) { widen<std::int8_t>(row, results, count); }
PARCONV_FOR_EVERY_CPU
void widen_u16(const std::byte* row, float* results, std::size_t count) { widen<std::uint16_t>(row, results, count); }
PARCONV_FOR_EVERY_CPU
void widen_i16(const std::byte* row, float* results, std::size_t count) { widen<std::int16_t>(row, results, count); }

PARCONV_FOR_EVERY_CPU
void narrow_f16(const float* numbers, std::byte* row, std::size_t count) {
  PARCONV_INDEPENDENT
  for (std::size_t k = 0; k < count; ++k) {
    const std::uint16_t bits = half_from_float(numbers[k]);
    std::memcpy(row + k * sizeof(bits), &bits, sizeof(bits));
  }
}

PARCONV_FOR_EVERY_CPU
void narrow_bf16(const float* numbers, std::byte* row, std::size_t count) {
  PARCONV_INDEPENDENT
  for (std::size_t k = 0; k < count; ++k) {
    const std::uint16_t bits = bfloat16_from_float(numbers[k]);
    std::memcpy(row + k * sizeof(bits), &bits, sizeof(bits));
  }
}

PARCONV_FOR_EVERY_CPU
void scale_floats(float* numbers, std::size_t count, const ChannelScaling& scaling) {
  const auto [scale, mean, deviation] = scaling;
  PARCONV_INDEPENDENT
  for (std::size_t k = 0; k < count; ++k) numbers[k] = (numbers[k] * scale - mean) / deviation;
}

}  // namespace

void floats_from_row(const std::byte* row, DType type, std::span<float> results) {
  switch (type) {
    case DType::F32:
      if (!results.empty()) std::memcpy(results.data(), row, results.size_bytes());
      return;
    case DType::F64:
      return widen_f64(row, results.data(), results.size());
    case DType::F16:
      return widen_f16(row, results.data(), results.size());
    case DType::BF16:
      return widen_bf16(row, results.data(), results.size());
    case DType::U8:
      return widen_u8(row, results.data(), results.size());
    case DType::I8:
      return widen_i8(row, results.data(), results.size());
    case DType::U16:
      return widen_u16(row, results.data(), results.size());
    case DType::I16:
      return widen_i16(row, results.data(), results.size());
    default:
      PARCONV_EXPECT(false, name_of(type));
  }
}

void row_from_floats(std::span<const float> numbers, DType type, std::byte* row) {
  switch (type) {
    case DType::F32:
      if (!numbers.empty()) std::memcpy(row, numbers.data(), numbers.size_bytes());
      return;
    case DType::F16:
      return narrow_f16(numbers.data(), row, numbers.size());
    case DType::BF16:
      return narrow_bf16(numbers.data(), row, numbers.size());
    default:
      PARCONV_EXPECT(false, name_of(type));
  }
}

void scale_row(std::span<float> row, const ChannelScaling& scaling) { scale_floats(row.data(), row.size(), scaling); }

}  // namespace parconv
