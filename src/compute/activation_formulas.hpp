// The formulas of activations, the same for CPUs and GPUs: multiplications and additions in a fixed order, without library calls,
// so that every element gets the same bits everywhere.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/host_device.hpp"
#include "parconv/model/operators.hpp"

/// Inlined into loops that are compiled for several instruction sets.
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
  const std::int32_t half = exponent >> 1;  // 2^128 is no float, the product of two halves overflows as it should
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

PARCONV_FORMULA float gelu(float x) { return 0.5F * x * (1.0F + error_function(x * 0.707106781F)); }

PARCONV_FORMULA float gelu_by_tanh(float x) {
  return 0.5F * x * (1.0F + hyperbolic_tangent(0.797884561F * (x + 0.044715F * x * x * x)));
}

PARCONV_FORMULA float clip(float x, float lowest, float highest) {
  const float raised = x < lowest ? lowest : x;
  return raised > highest ? highest : raised;
}

#define PARCONV_APPLY(expression) apply([=](float x) PARCONV_ALWAYS_INLINE -> float { return expression; })

/// Calls apply(formula) with the function of one number that `activation` is; not for None. The choice is made once for all
/// numbers that `apply` works on.
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
  }
}

#undef PARCONV_APPLY

}  // namespace parconv
