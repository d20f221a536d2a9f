// SPDX-License-Identifier: Apache-2.0
// maximum and minimum of IEEE 754-2019 (section 9.6): a NaN among the operands is the result, and +0 is above -0, so the result
// does not depend on the order of the operands (but for which NaN it is).
#pragma once

#include <cstdint>

#include "parconv/core/host_device_macros.hpp"

namespace parconv {

/// a = maximum(a, b). `Number` is float or a vector of them, `Bits` the integer or vector of integers of its size.
template <class Number, class Bits>
PARCONV_HOST_DEVICE PARCONV_ALWAYS_INLINE inline void raise_to(Number& a, const Number& b) {
  const Number larger = ((a > b) | (a != a)) ? a : b;
  // Equal operands differ in the sign of zero alone. std::bit_cast would return a vector, which no CPU's ABI does alike.
  const Number equal = __builtin_bit_cast(Number, __builtin_bit_cast(Bits, a) & __builtin_bit_cast(Bits, b));
  a = a == b ? equal : larger;
}

/// a = minimum(a, b).
template <class Number, class Bits>
PARCONV_HOST_DEVICE PARCONV_ALWAYS_INLINE inline void lower_to(Number& a, const Number& b) {
  const Number smaller = ((a < b) | (a != a)) ? a : b;
  const Number equal = __builtin_bit_cast(Number, __builtin_bit_cast(Bits, a) | __builtin_bit_cast(Bits, b));
  a = a == b ? equal : smaller;
}

PARCONV_HOST_DEVICE PARCONV_ALWAYS_INLINE inline float maximum(float a, float b) {
  raise_to<float, std::int32_t>(a, b);
  return a;
}

PARCONV_HOST_DEVICE PARCONV_ALWAYS_INLINE inline float minimum(float a, float b) {
  lower_to<float, std::int32_t>(a, b);
  return a;
}

}  // namespace parconv
