// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/activation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace parconv {
namespace {

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

float hard_sigmoid(float x, float alpha, float beta) { return std::min(std::max(alpha * x + beta, 0.0F), 1.0F); }

float gelu(float x) { return 0.5F * x * (1.0F + std::erf(x / std::numbers::sqrt2_v<float>)); }

float gelu_by_tanh(float x) {
  const float factor = std::sqrt(2.0F / std::numbers::pi_v<float>);
  return 0.5F * x * (1.0F + std::tanh(factor * (x + 0.044715F * x * x * x)));
}

float softplus(float x) { return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x))); }

/// Small integer powers as products.
float power(float x, float exponent) {
  if (exponent == 2.0F) return x * x;
  return exponent == 3.0F ? x * x * x : std::pow(x, exponent);
}

float sign(float x) { return x > 0 ? 1.0F : x < 0 ? -1.0F : x; }

float shrink(float x, float lambda, float bias) { return x < -lambda ? x + bias : x > lambda ? x - bias : 0.0F; }

float selu(float x, float alpha, float beta) { return beta * (x > 0 ? x : alpha * std::expm1(x)); }

}  // namespace

float activated(const Activation& activation, float x) {
  switch (activation.kind) {
    case ActivationKind::None:
      return x;
    case ActivationKind::Relu:
      return x < 0 ? 0 : x;
    case ActivationKind::LeakyRelu:
      return x < 0 ? activation.alpha * x : x;
    case ActivationKind::Clip:
      return std::min(std::max(x, activation.alpha), activation.beta);
    case ActivationKind::Sigmoid:
      return sigmoid(x);
    case ActivationKind::Tanh:
      return std::tanh(x);
    case ActivationKind::Elu:
      return x < 0 ? activation.alpha * std::expm1(x) : x;
    case ActivationKind::HardSigmoid:
      return hard_sigmoid(x, activation.alpha, activation.beta);
    case ActivationKind::HardSwish:
      return x * hard_sigmoid(x, 1.0F / 6.0F, 0.5F);
    case ActivationKind::Silu:
      return x * sigmoid(x);
    case ActivationKind::Gelu:
      return gelu(x);
    case ActivationKind::GeluTanh:
      return gelu_by_tanh(x);
    case ActivationKind::Exp:
      return std::exp(x);
    case ActivationKind::Erf:
      return std::erf(x);
    case ActivationKind::Sqrt:
      return std::sqrt(x);
    case ActivationKind::InverseRoot:
      return 1.0F / std::sqrt(x + activation.alpha);
    case ActivationKind::Abs:
      return std::abs(x);
    case ActivationKind::Neg:
      return -x;
    case ActivationKind::Floor:
      return std::floor(x);
    case ActivationKind::Ceil:
      return std::ceil(x);
    case ActivationKind::Round:
      return std::nearbyint(x);
    case ActivationKind::Sign:
      return sign(x);
    case ActivationKind::ThresholdedRelu:
      return x > activation.alpha ? x : 0;
    case ActivationKind::Selu:
      return selu(x, activation.alpha, activation.beta);
    case ActivationKind::Celu:
      return x < 0 ? activation.alpha * std::expm1(x / activation.alpha) : x;
    case ActivationKind::Softplus:
      return softplus(x);
    case ActivationKind::Softsign:
      return x / (1.0F + std::abs(x));
    case ActivationKind::Mish:
      return x * std::tanh(softplus(x));
    case ActivationKind::Reciprocal:
      return 1.0F / x;
    case ActivationKind::Log:
      return std::log(x);
    case ActivationKind::Sin:
      return std::sin(x);
    case ActivationKind::Cos:
      return std::cos(x);
    case ActivationKind::Power:
      return power(x, activation.alpha);
    case ActivationKind::Shrink:
      return shrink(x, activation.alpha, activation.beta);
  }
  return x;
}

float maximum_of_two(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  if (a == b) return std::signbit(a) ? b : a;
  return std::max(a, b);
}

float minimum_of_two(float a, float b) { return -maximum_of_two(-a, -b); }

float combined(BinaryKind kind, float a, float b) {
  switch (kind) {
    case BinaryKind::Mul:
      return a * b;
    case BinaryKind::Sub:
      return a - b;
    case BinaryKind::Div:
      return a / b;
    case BinaryKind::Max:
      return maximum_of_two(a, b);
    case BinaryKind::Min:
      return minimum_of_two(a, b);
    case BinaryKind::PRelu:
      return a < 0 ? a * b : a;
    case BinaryKind::Pow:
      return std::pow(a, b);
  }
  return a;
}

}  // namespace parconv
