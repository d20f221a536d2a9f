// SPDX-License-Identifier: Apache-2.0
// Powers by f64, rounded to f32 at the end: see exponentials.hpp.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "parconv/core/host_device_macros.hpp"

namespace parconv {

/// log(x) in f64, for x >= 0.
PARCONV_FORMULA double wide_logarithm(double x) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t biased = (bits + (0x3ff0000000000000U - 0x3fe6a09e667f3bcdU)) >> 52;    // exponent + 1023 from sqrt(1/2) on
  const double n = std::bit_cast<double>(biased | 0x4330000000000000U) - 4503599627371519.0;  // 2^52 + 1023
  const double m = std::bit_cast<double>(bits - ((biased - 1023U) << 52));
  const double s = (m - 1.0) / (m + 1.0);
  const double square = s * s;
  double series = 2.0 / 15;
  series = series * square + 2.0 / 13;
  series = series * square + 2.0 / 11;
  series = series * square + 2.0 / 9;
  series = series * square + 2.0 / 7;
  series = series * square + 2.0 / 5;
  series = series * square + 2.0 / 3;
  const double result = n * 0.69314718055994531 + (2.0 * s + s * (square * series));
  const double finite = x == 0 ? -static_cast<double>(INFINITY) : result;
  return x < static_cast<double>(INFINITY) ? finite : x;
}

/// e^t, 0 or infinity beyond the range of f32.
PARCONV_FORMULA float narrow_exponential(double t) {
  constexpr double rounder = 6755399441055744.0;  // 1.5 * 2^52
  t = t < -120.0 ? -120.0 : t;
  t = t > 100.0 ? 100.0 : t;
  const double shifted = t * 1.4426950408889634 + rounder;
  const double n = shifted - rounder;
  const double r = t - n * 0.69314718055994531;
  double series = 1.0 / 3628800;
  series = series * r + 1.0 / 362880;
  series = series * r + 1.0 / 40320;
  series = series * r + 1.0 / 5040;
  series = series * r + 1.0 / 720;
  series = series * r + 1.0 / 120;
  series = series * r + 1.0 / 24;
  series = series * r + 1.0 / 6;
  series = series * r + 0.5;
  series = series * r + 1.0;
  series = series * r + 1.0;
  const std::uint64_t exponent = std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(rounder);
  return static_cast<float>(series * std::bit_cast<double>((exponent + 1023U) << 52));
}

/// True for infinities.
PARCONV_FORMULA bool is_integer(double y) {
  constexpr double rounder = 6755399441055744.0;
  return (y + rounder) - rounder == y;
}

/// x^y with the special cases of IEEE 754-2019 and C: 1 for x^0 and 1^y, also of a NaN; a NaN for x < 0 unless y is an integer.
PARCONV_FORMULA float power(float x, float y) {
  const double base = std::fabs(static_cast<double>(x)), exponent = static_cast<double>(y);
  const float size = narrow_exponential(exponent * wide_logarithm(base));
  const bool is_whole = is_integer(exponent), is_odd = is_whole & !is_integer(0.5 * exponent);
  const bool is_negative = std::bit_cast<std::int32_t>(x) < 0;
  const bool is_undefined = (x < 0) & (x > -INFINITY) & !is_whole;
  const float with_sign = is_negative & is_odd ? -size : size;
  const float result = is_undefined ? NAN : with_sign;
  const bool is_unit = (x == 1.0F) | (y == 0.0F) | ((x == -1.0F) & (std::fabs(y) == INFINITY));
  return is_unit ? 1.0F : result;
}

/// base^beta of an LRN, by roots where these suffice.
PARCONV_FORMULA float lrn_power(float base, float beta) {
  if (beta == 1.0F) return base;
  if (beta == 0.5F) return std::sqrt(base);
  if (beta == 0.75F) return std::sqrt(base) * std::sqrt(std::sqrt(base));
  return power(base, beta);
}

}  // namespace parconv
