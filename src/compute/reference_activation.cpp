#include <cmath>
#include <numbers>

#include "compute/reference_call.hpp"

namespace parconv {
namespace {

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

float hard_sigmoid(float x, float alpha, float beta) { return std::min(std::max(alpha * x + beta, 0.0F), 1.0F); }

float gelu(float x) { return 0.5F * x * (1.0F + std::erf(x / std::numbers::sqrt2_v<float>)); }

float gelu_by_tanh(float x) {
  const float factor = std::sqrt(2.0F / std::numbers::pi_v<float>);
  return 0.5F * x * (1.0F + std::tanh(factor * (x + 0.044715F * x * x * x)));
}

}  // namespace

float reference_activation(const Activation& activation, float x) {
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
  }
  return x;
}

}  // namespace parconv
