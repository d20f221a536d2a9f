// SPDX-License-Identifier: Apache-2.0
// Index and element types shared by all modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parconv {

/// Sizes, indices and counts. Signed, so that differences and paddings may be negative.
using index_t = std::int64_t;

/// Element types that parconv reads, stores or computes in. An Accumulator is the exact sum of f32 numbers, not yet rounded: see
/// ExactSum.
enum class DType { F32, F16, BF16, F64, U8, I8, U16, I16, I32, I64, Accumulator };

/// Size of one element in bytes.
constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::U8:
    case DType::I8:
      return 1;
    case DType::F16:
    case DType::BF16:
    case DType::U16:
    case DType::I16:
      return 2;
    case DType::F32:
    case DType::I32:
      return 4;
    case DType::F64:
    case DType::I64:
      return 8;
    case DType::Accumulator:
      return 48;
  }
  return 0;
}

/// Lower-case name in messages, options and files: "f32", "u8", ...
std::string_view name_of(DType type);

/// a / b rounded towards +infinity, for b > 0 and any a.
constexpr index_t ceil_div(index_t a, index_t b) { return a / b + (a % b > 0 ? 1 : 0); }

/// a / b rounded towards -infinity, for b > 0 and any a.
constexpr index_t floor_div(index_t a, index_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace parconv
