// SPDX-License-Identifier: Apache-2.0
// sin and cos by f64, rounded to f32 at the end: see exponentials.hpp.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "parconv/core/host_device_macros.hpp"

namespace parconv {

/// x = quadrant * pi / 2 + rest, modulo 2 pi, with |rest| <= pi / 4.
struct Angle {
  std::uint32_t quadrant = 0;
  double rest = 0;
};

/// 64 bits of 2 / pi, from the given bit on: bit 64 is the first behind the point. Precondition: first < 256.
PARCONV_FORMULA std::uint64_t bits_of_two_over_pi(std::uint32_t first) {
  constexpr std::uint64_t words[] = {0, 0xa2f9836e4e441529U, 0xfc2757d1f534ddc0U, 0xdb6295993c439041U, 0xfe5163abdebbc561U};
  const std::uint32_t word = first / 64, shift = first % 64;
  return (words[word] << shift) | ((words[word + 1] >> 1) >> (63 - shift));
}

/// The product of x = m * 2^e with the bits of 2 / pi that matter, in integers, after Payne and Hanek. Precondition: x is finite
/// and at least 0.75.
PARCONV_FORMULA Angle reduced(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint64_t m = (bits & 0x7fffffU) | 0x800000U;
  const std::uint32_t first = (bits >> 23) - 88;  // 64 + e - 2 with e = field - 150: whole turns are dropped
  const std::uint64_t high = bits_of_two_over_pi(first), low = bits_of_two_over_pi(first + 64) >> 32;
  const std::uint64_t turns = m * high + ((m * low) >> 32);  // in units of 2^-64
  const std::uint64_t quadrant = (turns + (std::uint64_t{1} << 61)) >> 62;
  const auto rest = static_cast<std::int64_t>(turns - (quadrant << 62));
  return {static_cast<std::uint32_t>(quadrant), static_cast<double>(rest) * 3.4061215800865546e-19};  // pi / 2 * 2^-62
}

/// sin(rest + quadrant * pi / 2) by Taylor series.
PARCONV_FORMULA float sine_of(Angle angle) {
  const double square = angle.rest * angle.rest;
  double sine = -1.0 / 39916800;
  sine = sine * square + 1.0 / 362880;
  sine = sine * square - 1.0 / 5040;
  sine = sine * square + 1.0 / 120;
  sine = sine * square - 1.0 / 6;
  double cosine = 1.0 / 479001600;
  cosine = cosine * square - 1.0 / 3628800;
  cosine = cosine * square + 1.0 / 40320;
  cosine = cosine * square - 1.0 / 720;
  cosine = cosine * square + 1.0 / 24;
  cosine = cosine * square - 0.5;
  const double size = angle.quadrant & 1U ? 1.0 + square * cosine : angle.rest * (1.0 + square * sine);
  return static_cast<float>(angle.quadrant & 2U ? -size : size);
}

PARCONV_FORMULA float sine(float x) {
  const float size = std::fabs(x);
  if (size < 0.75F) return sine_of({0, static_cast<double>(x)});
  if (!(size < INFINITY)) return x - x;
  const float result = sine_of(reduced(size));
  return x < 0 ? -result : result;
}

PARCONV_FORMULA float cosine(float x) {
  const float size = std::fabs(x);
  if (size < 0.75F) return sine_of({1, static_cast<double>(x)});
  if (!(size < INFINITY)) return x - x;
  Angle angle = reduced(size);
  ++angle.quadrant;
  return sine_of(angle);
}

}  // namespace parconv
