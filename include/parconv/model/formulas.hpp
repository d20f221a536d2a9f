// SPDX-License-Identifier: Apache-2.0
// The one definition of every element-wise function, for the reference, constants, and the kernels of CPUs and GPUs.
#pragma once

#include <cmath>

#include "parconv/model/formulas/error_function.hpp"
#include "parconv/model/formulas/exponentials.hpp"
#include "parconv/model/formulas/power.hpp"
#include "parconv/model/formulas/trigonometry.hpp"
#include "parconv/model/operators.hpp"

namespace parconv {

/// alpha * x + beta, from 0 to 1.
PARCONV_FORMULA float hard_sigmoid(float x, float alpha, float beta) {
  const float line = alpha * x + beta;
  const float raised = line < 0 ? 0 : line;
  return raised > 1 ? 1 : raised;
}

PARCONV_FORMULA float elu(float x, float alpha) {
  const float below = alpha * exponential_less_one(x);
  return x < 0 ? below : x;
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
  return PARCONV_APPLY(power(x, exponent));
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
      return PARCONV_APPLY(silu(x));
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
      return PARCONV_APPLY(sine(x));
    case ActivationKind::Cos:
      return PARCONV_APPLY(cosine(x));
    case ActivationKind::Power:
      return with_power(alpha, apply);
    case ActivationKind::Shrink:
      return PARCONV_APPLY(shrink(x, alpha, beta));
  }
}

#undef PARCONV_APPLY

}  // namespace parconv
