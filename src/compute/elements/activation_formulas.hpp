// SPDX-License-Identifier: Apache-2.0
// Formulas of activations for CPUs and GPUs: multiplications and additions in a fixed order, without library calls, so that
// results have equal bits everywhere.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "parconv/core/host_device_macros.hpp"
#include "parconv/model/operators.hpp"

/// Inlined into loops compiled for several instruction sets.
#define PARCONV_FORMULA PARCONV_HOST_DEVICE PARCONV_ALWAYS_INLINE inline

namespace parconv {

PARCONV_FORMULA float power_of_two(std::int32_t exponent) { return std::bit_cast<float>((exponent + 127) << 23); }

/// e^x as 2^n * e^r with |r| <= log(2) / 2 and a Taylor series for e^r, to about 2 units in the last place. Overflows to
/// infinity as float does.
PARCONV_FORMULA float exponential(float x) {
  constexpr float rounder = 12582912.0F;  // 1.5 * 2^23: adding it leaves an integer in the low bits
  x = x < -104.0F ? -104.0F : x;
  x = x > 89.0F ? 89.0F : x;
  const float shifted = x * 1.44269504F + rounder;
  const float n = shifted - rounder;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float series = 1.0F / 5040;
  series = series * r + 1.0F / 720;
  series = series * r + 1.0F / 120;
  series = series * r + 1.0F / 24;
  series = series * r + 1.0F / 6;
  series = series * r + 0.5F;
  series = series * r + 1.0F;
  series = series * r + 1.0F;
  const std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(rounder);
  const std::int32_t half = exponent >> 1;  // 2^128 is not a float, but the product of two halves overflows correctly
  return series * power_of_two(half) * power_of_two(exponent - half);
}

PARCONV_FORMULA float sigmoid(float x) { return 1.0F / (1.0F + exponential(-x)); }

PARCONV_FORMULA float hyperbolic_tangent(float x) { return 1.0F - 2.0F / (exponential(2.0F * x) + 1.0F); }

/// Abramowitz and Stegun, formula 7.1.26: within 2e-7 of erf(x).
PARCONV_FORMULA float error_function(float x) {
  const float size = x < 0 ? -x : x;
  const float t = 1.0F / (1.0F + 0.3275911F * size);
  float series = 1.061405429F;
  series = series * t - 1.453152027F;
  series = series * t + 1.421413741F;
  series = series * t - 0.284496736F;
  series = series * t + 0.254829592F;
  const float result = 1.0F - series * t * exponential(-size * size);
  return x < 0 ? -result : result;
}

/// alpha * x + beta, from 0 to 1.
PARCONV_FORMULA float hard_sigmoid(float x, float alpha, float beta) {
  const float line = alpha * x + beta;
  const float raised = line < 0 ? 0 : line;
  return raised > 1 ? 1 : raised;
}

PARCONV_FORMULA float elu(float x, float alpha) {
  const float below = alpha * (exponential(x) - 1.0F);
  return x < 0 ? below : x;
}

/// log(x) as n * log(2) + log(m) with sqrt(1/2) <= m < sqrt(2) and the series of log((1 + s) / (1 - s)), to about 2 units in the
/// last place.
PARCONV_FORMULA float logarithm(float x) {
  const bool is_tiny = x < 1.17549435e-38F;  // subnormal: the exponent field is 0
  const float scaled = is_tiny ? x * 8388608.0F : x;
  const std::int32_t bits = std::bit_cast<std::int32_t>(scaled);
  const std::int32_t above_root = bits - 0x3f3504f3;
  const std::int32_t exponent = above_root >> 23;
  const float m = std::bit_cast<float>(bits - exponent * 8388608);
  const float n = static_cast<float>(exponent) - (is_tiny ? 23.0F : 0.0F);
  const float s = (m - 1.0F) / (m + 1.0F);
  const float square = s * s;
  float series = 2.0F / 9;
  series = series * square + 2.0F / 7;
  series = series * square + 2.0F / 5;
  series = series * square + 2.0F / 3;
  const float result = n * 0.693359375F + (2.0F * s + (s * (square * series) - n * 2.12194440e-4F));
  const float limit = x == 0 ? -INFINITY : NAN;
  return x > 0 ? (x < INFINITY ? result : x) : limit;
}

/// log(1 + y) for y >= 0, accurate for small y too (Kahan).
PARCONV_FORMULA float logarithm_of_one_and(float y) {
  const float sum = 1.0F + y;
  const float result = logarithm(sum) * (y / (sum - 1.0F));
  return sum == 1.0F ? y : result;
}

PARCONV_FORMULA float softplus(float x) {
  const float size = x < 0 ? -x : x;
  return (x > 0 ? x : 0.0F) + logarithm_of_one_and(exponential(-size));
}

/// With e = e^x, tanh(log(1 + e)) is e * (e + 2) / (e * (e + 2) + 2).
PARCONV_FORMULA float mish(float x) {
  const float e = exponential(x > 20 ? 20.0F : x);
  const float product = e * (e + 2.0F);
  return x > 20 ? x : x * (product / (product + 2.0F));
}

/// e^x - 1, by a series where the difference would cancel.
PARCONV_FORMULA float exponential_less_one(float x) {
  float series = 1.0F / 5040;
  series = series * x + 1.0F / 720;
  series = series * x + 1.0F / 120;
  series = series * x + 1.0F / 24;
  series = series * x + 1.0F / 6;
  series = series * x + 0.5F;
  const float near_zero = x + x * x * series;
  const float elsewhere = exponential(x) - 1.0F;
  return x > -0.25F ? near_zero : elsewhere;
}

PARCONV_FORMULA float selu(float x, float alpha, float beta) {
  const float below = alpha * exponential_less_one(x);
  return beta * (x > 0 ? x : below);
}

PARCONV_FORMULA float celu(float x, float alpha) {
  const float below = alpha * exponential_less_one(x / alpha);
  return x < 0 ? below : x;
}

PARCONV_FORMULA float sign(float x) {
  const float below = x < 0 ? -1.0F : x;
  return x > 0 ? 1.0F : below;
}

PARCONV_FORMULA float shrink(float x, float lambda, float bias) {
  const float above = x > lambda ? x - bias : 0.0F;
  return x < -lambda ? x + bias : above;
}

PARCONV_FORMULA float gelu(float x) { return 0.5F * x * (1.0F + error_function(x * 0.707106781F)); }

PARCONV_FORMULA float gelu_by_tanh(float x) {
  return 0.5F * x * (1.0F + hyperbolic_tangent(0.797884561F * (x + 0.044715F * x * x * x)));
}

PARCONV_FORMULA float clip(float x, float lowest, float highest) {
  const float raised = x < lowest ? lowest : x;
  return raised > highest ? highest : raised;
}

#define PARCONV_APPLY(expression) apply([=](float x) PARCONV_ALWAYS_INLINE -> float { return expression; })

/// x^exponent, by products and roots where a few suffice.
template <class Apply>
PARCONV_FORMULA void with_power(float exponent, Apply apply) {
  if (exponent == 2.0F) return PARCONV_APPLY(x * x);
  if (exponent == 3.0F) return PARCONV_APPLY(x * x * x);
  if (exponent == 0.5F) return PARCONV_APPLY(std::sqrt(x));
  return PARCONV_APPLY(std::pow(x, exponent));
}

/// Calls apply(formula) with the scalar function of `activation`, so that the dispatch happens once for all elements.
/// Precondition: not None.
template <class Apply>
PARCONV_FORMULA void with_formula(const Activation& activation, Apply apply) {
  const float alpha = activation.alpha, beta = activation.beta;
  switch (activation.kind) {
    case ActivationKind::None:
      return;
    case ActivationKind::Relu:
      return PARCONV_APPLY(x < 0 ? 0 : x);
    case ActivationKind::LeakyRelu:
      return PARCONV_APPLY(x < 0 ? alpha * x : x);
    case ActivationKind::Clip:
      return PARCONV_APPLY(clip(x, alpha, beta));
    case ActivationKind::Sigmoid:
      return PARCONV_APPLY(sigmoid(x));
    case ActivationKind::Tanh:
      return PARCONV_APPLY(hyperbolic_tangent(x));
    case ActivationKind::Elu:
      return PARCONV_APPLY(elu(x, alpha));
    case ActivationKind::HardSigmoid:
      return PARCONV_APPLY(hard_sigmoid(x, alpha, beta));
    case ActivationKind::HardSwish:
      return PARCONV_APPLY(x * hard_sigmoid(x, 1.0F / 6.0F, 0.5F));
    case ActivationKind::Silu:
      return PARCONV_APPLY(x * sigmoid(x));
    case ActivationKind::Gelu:
      return PARCONV_APPLY(gelu(x));
    case ActivationKind::GeluTanh:
      return PARCONV_APPLY(gelu_by_tanh(x));
    case ActivationKind::Exp:
      return PARCONV_APPLY(exponential(x));
    case ActivationKind::Erf:
      return PARCONV_APPLY(error_function(x));
    case ActivationKind::Sqrt:
      return PARCONV_APPLY(std::sqrt(x));
    case ActivationKind::InverseRoot:
      return PARCONV_APPLY(1.0F / std::sqrt(x + alpha));
    case ActivationKind::Abs:
      return PARCONV_APPLY(std::fabs(x));
    case ActivationKind::Neg:
      return PARCONV_APPLY(-x);
    case ActivationKind::Floor:
      return PARCONV_APPLY(std::floor(x));
    case ActivationKind::Ceil:
      return PARCONV_APPLY(std::ceil(x));
    case ActivationKind::Round:
      return PARCONV_APPLY(std::nearbyint(x));
    case ActivationKind::Sign:
      return PARCONV_APPLY(sign(x));
    case ActivationKind::ThresholdedRelu:
      return PARCONV_APPLY(x > alpha ? x : 0.0F);
    case ActivationKind::Selu:
      return PARCONV_APPLY(selu(x, alpha, beta));
    case ActivationKind::Celu:
      return PARCONV_APPLY(celu(x, alpha));
    case ActivationKind::Softplus:
      return PARCONV_APPLY(softplus(x));
    case ActivationKind::Softsign:
      return PARCONV_APPLY(x / (1.0F + std::fabs(x)));
    case ActivationKind::Mish:
      return PARCONV_APPLY(mish(x));
    case ActivationKind::Reciprocal:
      return PARCONV_APPLY(1.0F / x);
    case ActivationKind::Log:
      return PARCONV_APPLY(logarithm(x));
    case ActivationKind::Sin:
      return PARCONV_APPLY(std::sin(x));
    case ActivationKind::Cos:
      return PARCONV_APPLY(std::cos(x));
    case ActivationKind::Power:
      return with_power(alpha, apply);
    case ActivationKind::Shrink:
      return PARCONV_APPLY(shrink(x, alpha, beta));
  }
}

#undef PARCONV_APPLY

}  // namespace parconv
