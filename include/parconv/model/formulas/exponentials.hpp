// SPDX-License-Identifier: Apache-2.0
// exp, log and their relatives in f32, as multiplications and additions in a fixed order without library calls, so that results
// have equal bits on every CPU and GPU. Free of branches: loops of them vectorise. docs/arithmetic.md derives the coefficients.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "parconv/core/host_device_macros.hpp"

namespace parconv {

/// Precondition: -127 <= exponent <= 128; the ends give 0 and infinity.
PARCONV_FORMULA float power_of_two(std::int32_t exponent) { return std::bit_cast<float>((exponent + 127) << 23); }

PARCONV_FORMULA float absolute(float x) { return std::bit_cast<float>(std::bit_cast<std::int32_t>(x) & 0x7fffffff); }

/// Returns size with the sign of x. Precondition: size >= 0, or a NaN.
PARCONV_FORMULA float with_sign_of(float size, float x) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(size) & 0x7fffffffU) |
                              (std::bit_cast<std::uint32_t>(x) & 0x80000000U));
}

/// max(x, lowest) and min(x, highest); a NaN stays.
PARCONV_FORMULA float at_least(float x, float lowest) { return x < lowest ? lowest : x; }
PARCONV_FORMULA float at_most(float x, float highest) { return x > highest ? highest : x; }

/// log(2) = high + low, where products of high and integers of up to 9 bits are exact.
struct LogarithmOfTwo {
  static constexpr float high = 0.693145752F;  // 0x1.62e4p-1
  static constexpr float low = 1.42860677e-6F;
};

/// e^x = 2^exponent * (1 + fraction), with |fraction| < 0.5.
struct ExponentialParts {
  float fraction = 0;
  std::int32_t exponent = 0;
};

/// Parts of e^(x + rest), after Cody and Waite. Precondition: -112 <= x <= 89, |rest| < 0.05, or a NaN.
PARCONV_FORMULA ExponentialParts exponential_parts(float x, float rest) {
  constexpr float rounder = 12582912.0F;  // 1.5 * 2^23: adding it leaves an integer in the low bits
  const float shifted = x * 1.44269504F + rounder;
  const float n = shifted - rounder;
  const float high = x - n * LogarithmOfTwo::high;  // exact
  const float low = rest - n * LogarithmOfTwo::low;
  const float r = high + low;
  float series = 0.000150425345F;
  series = series * r + 0.00139315322F;
  series = series * r + 0.00834170915F;
  series = series * r + 0.041666504F;
  series = series * r + 0.166666344F;
  series = series * r + 0.5F;
  return {high + ((r * r) * series + low), std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(rounder)};
}

/// x * 2^exponent in two steps, of which the first is exact, so that results overflow and become subnormal with one rounding.
/// Precondition: 1/4 <= |x| <= 4, |exponent| <= 200.
PARCONV_FORMULA float scaled(float x, std::int32_t exponent) {
  const std::int32_t half = exponent >> 1;
  return (x * power_of_two(half)) * power_of_two(exponent - half);
}

PARCONV_FORMULA float exponential(float x) {
  const ExponentialParts parts = exponential_parts(at_most(at_least(x, -112.0F), 89.0F), 0.0F);
  return scaled(1.0F + parts.fraction, parts.exponent);
}

/// e^x - 1, relatively accurate near 0.
PARCONV_FORMULA float exponential_less_one(float x) {
  const ExponentialParts parts = exponential_parts(at_most(at_least(x, -18.0F), 89.0F), 0.0F);
  const float half = power_of_two(parts.exponent - 1);
  const float elsewhere = 2.0F * (parts.fraction * half + (half - 0.5F));
  const float result = parts.exponent == 0 ? parts.fraction : elsewhere;
  return with_sign_of(result, x);
}

/// factor / (1 + e^-(x + rest)), also where e^x is subnormal. Precondition: factor has the sign of x, or is 1; |rest| is at most
/// half a unit in the last place of x.
PARCONV_FORMULA float times_sigmoid(float factor, float x, float rest) {
  const bool is_bounded = absolute(x) < 112.0F;
  const float tail = x < 0 ? rest : -rest;
  const ExponentialParts parts = exponential_parts(-at_most(absolute(x), 112.0F), is_bounded ? tail : 0.0F);
  const std::int32_t half = parts.exponent >> 1;
  const float part = (1.0F + parts.fraction) * power_of_two(half), last = power_of_two(parts.exponent - half);
  const float divisor = 1.0F + part * last;
  const float dividend = at_least(factor, -112.0F) * (x < 0 ? part : 1.0F);
  return (dividend / divisor) * (x < 0 ? last : 1.0F);
}

PARCONV_FORMULA float sigmoid(float x) { return times_sigmoid(1.0F, x, 0.0F); }

PARCONV_FORMULA float silu(float x) { return times_sigmoid(x, x, 0.0F); }

PARCONV_FORMULA float hyperbolic_tangent(float x) {
  const float size = at_most(absolute(x), 10.0F);
  const float square = size * size;
  float series = 0.0162711516F;
  series = series * square - 0.0525854267F;
  series = series * square + 0.133193985F;
  series = series * square - 0.333328903F;
  const float near_zero = size + size * (square * series);
  const ExponentialParts parts = exponential_parts(2.0F * size, 0.0F);
  const float elsewhere = 1.0F - 2.0F / ((1.0F + parts.fraction) * power_of_two(parts.exponent) + 1.0F);
  return with_sign_of(size < 0.55F ? near_zero : elsewhere, x);
}

/// log((1 + f) * 2^n), for sqrt(1/2) <= 1 + f < sqrt(2), by the series of log((1 + s) / (1 - s)).
PARCONV_FORMULA float logarithm_of(float f, float n) {
  const float s = f / (2.0F + f);
  const float square = s * s;
  float series = 2.0F / 9;
  series = series * square + 2.0F / 7;
  series = series * square + 2.0F / 5;
  series = series * square + 2.0F / 3;
  return n * LogarithmOfTwo::high + (f - (s * (f - square * series) - n * LogarithmOfTwo::low));
}

/// The exponent n of x = m * 2^n with sqrt(1/2) <= m < sqrt(2). Precondition: x is normal.
PARCONV_FORMULA std::int32_t nearest_exponent(float x) { return (std::bit_cast<std::int32_t>(x) - 0x3f3504f3) >> 23; }

/// x * 2^-exponent for normal numbers.
PARCONV_FORMULA float without_exponent(float x, std::int32_t exponent) {
  return std::bit_cast<float>(std::bit_cast<std::int32_t>(x) - exponent * 8388608);
}

PARCONV_FORMULA float logarithm(float x) {
  const bool is_tiny = x < 1.17549435e-38F;  // subnormal: the exponent field is 0
  const float normal = is_tiny ? x * 8388608.0F : x;
  const std::int32_t exponent = nearest_exponent(normal);
  const float n = static_cast<float>(exponent) - (is_tiny ? 23.0F : 0.0F);
  const float result = logarithm_of(without_exponent(normal, exponent) - 1.0F, n);
  const float limit = x == 0 ? -INFINITY : NAN;
  return x > 0 ? (x < INFINITY ? result : x) : limit;
}

/// log(1 + y), relatively accurate near 0: what 1 + y rounds away is added to f.
PARCONV_FORMULA float logarithm_of_one_and(float y) {
  const float sum = 1.0F + y;
  const float lost = y > 1.0F ? 1.0F - (sum - y) : y - (sum - 1.0F);
  const std::int32_t exponent = nearest_exponent(sum);
  const float f = (without_exponent(sum, exponent) - 1.0F) + lost * power_of_two(exponent > 126 ? -126 : -exponent);
  const float result = with_sign_of(absolute(logarithm_of(f, static_cast<float>(exponent))), y);
  const float limit = y == -1.0F ? -INFINITY : NAN;
  return y > -1.0F ? (y < INFINITY ? result : y) : limit;
}

PARCONV_FORMULA float softplus(float x) { return at_least(x, 0.0F) + logarithm_of_one_and(exponential(-absolute(x))); }

/// With e = e^x, tanh(log(1 + e)) is e * (e + 2) / (e * (e + 2) + 2).
PARCONV_FORMULA float mish(float x) {
  const float bounded = at_least(x, -112.0F);
  const ExponentialParts parts = exponential_parts(at_most(bounded, 20.0F), 0.0F);
  const std::int32_t half = parts.exponent >> 1;
  const float part = (1.0F + parts.fraction) * power_of_two(half), rest = power_of_two(parts.exponent - half);
  const float e = part * rest;
  const float quotient = (e + 2.0F) / (e * (e + 2.0F) + 2.0F);
  return x > 20.0F ? x : ((bounded * part) * quotient) * rest;
}

}  // namespace parconv
