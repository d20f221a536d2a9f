// SPDX-License-Identifier: Apache-2.0
// erf and Gelu in f32: see exponentials.hpp.
#pragma once

#include "parconv/model/formulas/exponentials.hpp"

namespace parconv {

PARCONV_FORMULA float error_function(float x) {
  const float size = at_most(absolute(x), 4.0F);
  const float square = size * size;
  float series = -0.000602079788F;
  series = series * square + 0.00499895914F;
  series = series * square - 0.026770493F;
  series = series * square + 0.112819217F;
  series = series * square - 0.376125038F;
  series = series * square + 0.128379151F;
  const float near_zero = size + size * series;
  float power = 0.000198218579F;  // log(erfc(size))
  power = power * size - 0.00306548667F;
  power = power * size + 0.0223152153F;
  power = power * size - 0.104113698F;
  power = power * size - 0.636976063F;
  power = power * size - 1.12779725F;
  power = power * size - 0.000166449259F;
  const ExponentialParts parts = exponential_parts(power, 0.0F);
  const float elsewhere = 1.0F - (1.0F + parts.fraction) * power_of_two(parts.exponent);
  return with_sign_of(size < 0.9F ? near_zero : elsewhere, x);
}

/// e^(a^2 / 2) * P(-a), where P is the cumulative normal distribution. Precondition: 1 <= a <= 14.5.
PARCONV_FORMULA float scaled_normal_tail(float a) {
  const float t = 3.0F / (a + 3.0F);
  float series = 0.0435267091F;
  series = series * t - 0.132981986F;
  series = series * t + 0.0959469825F;
  series = series * t + 0.0126856659F;
  series = series * t + 0.0980419219F;
  series = series * t + 0.116770044F;
  series = series * t + 0.133100241F;
  series = series * t + 0.132976621F;
  return t * series;
}

/// x * P(x) for |x| < 1.
PARCONV_FORMULA float gelu_near_zero(float x) {
  const float square = x * x;
  float series = -8.17065575e-6F;
  series = series * square + 0.000115020135F;
  series = series * square - 0.00118802022F;
  series = series * square + 0.00997416303F;
  series = series * square - 0.0664905384F;
  series = series * square + 0.398942292F;
  return x * (0.5F + x * series);
}

/// x * P(x): (x / 2) * (1 + erf(x / sqrt(2))) without the cancellation, also where P(x) is subnormal.
PARCONV_FORMULA float gelu(float x) {
  const float bounded = at_least(x, -14.5F);
  const float size = at_most(absolute(x), 14.5F);
  const float front = std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) & 0xfffff000U);  // its square is exact
  const ExponentialParts parts = exponential_parts(-0.5F * (front * front), -0.5F * ((size - front) * (size + front)));
  const std::int32_t half = parts.exponent >> 1;
  const float part = (scaled_normal_tail(size) * (1.0F + parts.fraction)) * power_of_two(half);
  const float rest = power_of_two(parts.exponent - half);
  const float elsewhere = x < 0 ? (bounded * part) * rest : x * (1.0F - part * rest);
  return size < 1.0F ? gelu_near_zero(x) : elsewhere;
}

/// (x / 2) * (1 + tanh(u)) is x / (1 + e^(-2 u)). In f64, u keeps what the exponential would magnify.
PARCONV_FORMULA float gelu_by_tanh(float x) {
  const auto wide = static_cast<double>(x);
  const double twice = 1.5957691216057308 * (wide + ((0.044715 * wide) * wide) * wide);
  const auto front = static_cast<float>(twice);
  return times_sigmoid(x, front, static_cast<float>(twice - static_cast<double>(front)));
}

}  // namespace parconv
