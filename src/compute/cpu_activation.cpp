#include "compute/cpu_activation.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

// The choice is made before sanitizers are ready, so they get the plain loops.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PARCONV_FOR_EVERY_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PARCONV_FOR_EVERY_CPU
#endif
#define PARCONV_ALWAYS __attribute__((always_inline))
#define PARCONV_INLINE PARCONV_ALWAYS inline

namespace parconv::cpu {
namespace {

constexpr std::size_t block_elems = 16;

PARCONV_INLINE float power_of_two(std::int32_t exponent) { return std::bit_cast<float>((exponent + 127) << 23); }

/// e^x as 2^n * e^r with |r| <= log(2) / 2 and a Taylor series for e^r, to about 2 units in the last place. Overflows to
/// infinity as float does.
PARCONV_INLINE float exponential(float x) {
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

PARCONV_INLINE float sigmoid(float x) { return 1.0F / (1.0F + exponential(-x)); }

PARCONV_INLINE float hyperbolic_tangent(float x) { return 1.0F - 2.0F / (exponential(2.0F * x) + 1.0F); }

/// Abramowitz and Stegun, formula 7.1.26: within 2e-7 of erf(x).
PARCONV_INLINE float error_function(float x) {
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
PARCONV_INLINE float hard_sigmoid(float x, float alpha, float beta) {
  const float line = alpha * x + beta;
  const float raised = line < 0 ? 0 : line;
  return raised > 1 ? 1 : raised;
}

PARCONV_INLINE float elu(float x, float alpha) {
  const float below = alpha * (exponential(x) - 1.0F);
  return x < 0 ? below : x;
}

PARCONV_INLINE float gelu(float x) { return 0.5F * x * (1.0F + error_function(x * 0.707106781F)); }

PARCONV_INLINE float gelu_by_tanh(float x) {
  return 0.5F * x * (1.0F + hyperbolic_tangent(0.797884561F * (x + 0.044715F * x * x * x)));
}

/// data = function(data) block by block: the same instructions for every element.
template <class Function>
PARCONV_INLINE void for_blocks(std::span<float> data, Function function) {
  for (std::size_t first = 0; first < data.size(); first += block_elems)
    for (std::size_t k = first; k < first + block_elems; ++k) data[k] = function(data[k]);
}

#define PARCONV_EACH(expression) for_blocks(data, [=](float x) PARCONV_ALWAYS { return expression; })

/// `data` is whole blocks.
PARCONV_FOR_EVERY_CPU
void activate_blocks(std::span<float> data, const Activation& activation) {
  const float alpha = activation.alpha, beta = activation.beta;
  switch (activation.kind) {
    case ActivationKind::Sigmoid:
      return PARCONV_EACH(sigmoid(x));
    case ActivationKind::Tanh:
      return PARCONV_EACH(hyperbolic_tangent(x));
    case ActivationKind::Elu:
      return PARCONV_EACH(elu(x, alpha));
    case ActivationKind::HardSigmoid:
      return PARCONV_EACH(hard_sigmoid(x, alpha, beta));
    case ActivationKind::HardSwish:
      return PARCONV_EACH(x * hard_sigmoid(x, 1.0F / 6.0F, 0.5F));
    case ActivationKind::Silu:
      return PARCONV_EACH(x * sigmoid(x));
    case ActivationKind::Gelu:
      return PARCONV_EACH(gelu(x));
    case ActivationKind::GeluTanh:
      return PARCONV_EACH(gelu_by_tanh(x));
    case ActivationKind::Exp:
      return PARCONV_EACH(exponential(x));
    case ActivationKind::Erf:
      return PARCONV_EACH(error_function(x));
    case ActivationKind::Sqrt:
      return PARCONV_EACH(std::sqrt(x));
    case ActivationKind::InverseRoot:
      return PARCONV_EACH(1.0F / std::sqrt(x + alpha));
    case ActivationKind::Abs:
      return PARCONV_EACH(std::fabs(x));
    case ActivationKind::Neg:
      return PARCONV_EACH(-x);
    default:
      return;
  }
}

#undef PARCONV_EACH

}  // namespace

bool is_smooth(ActivationKind kind) { return kind >= ActivationKind::Sigmoid; }

void activate_smoothly(std::span<float> values, const Activation& activation) {
  const std::size_t whole = values.size() / block_elems * block_elems;
  activate_blocks(values.first(whole), activation);
  const std::span<float> rest = values.subspan(whole);
  if (rest.empty()) return;
  std::array<float, block_elems> block{};
  std::copy(rest.begin(), rest.end(), block.begin());
  activate_blocks(block, activation);
  std::copy_n(block.begin(), rest.size(), rest.begin());
}

void activate_operand(float* data, const Extents& extents, const Extents& strides, const Activation& activation) {
  const RowShape shape{.pixels = extents[Axis::W], .channels = extents[Axis::C]};
  for (index_t n = 0; n < extents[Axis::N]; ++n)
    for (index_t d = 0; d < extents[Axis::D]; ++d)
      for (index_t h = 0; h < extents[Axis::H]; ++h) {
        float* const row = data + n * strides[Axis::N] + d * strides[Axis::D] + h * strides[Axis::H];
        activate_row({row, strides[Axis::W]}, shape, activation);
      }
}

}  // namespace parconv::cpu
