// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/types.hpp"

namespace parconv {

std::string_view name_of(DType type) {
  switch (type) {
    case DType::F32:
      return "f32";
    case DType::F16:
      return "f16";
    case DType::BF16:
      return "bf16";
    case DType::F64:
      return "f64";
    case DType::U8:
      return "u8";
    case DType::I8:
      return "i8";
    case DType::U16:
      return "u16";
    case DType::I16:
      return "i16";
    case DType::I32:
      return "i32";
    case DType::I64:
      return "i64";
    case DType::Accumulator:
      return "accumulator";
  }
  return "?";
}

}  // namespace parconv
