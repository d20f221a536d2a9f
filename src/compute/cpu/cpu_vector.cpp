// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/cpu_vector.hpp"

#include <cstring>
#include <limits>
#include <type_traits>

#include "compute/cpu/cpu_activation.hpp"
#include "compute/elements/extremes.hpp"
#include "parconv/model/formulas/power.hpp"
#include "parconv/tensor/cpu_dispatch.hpp"

namespace parconv::cpu {
namespace {

/// Treats a row without gaps as one long pixel.
inline RowShape merged(RowShape shape, bool has_no_gaps) {
  return has_no_gaps ? RowShape{.pixels = 1, .channels = shape.pixels * shape.channels} : shape;
}

inline bool is_packed(ConstRow row, RowShape shape) { return row.pitch == shape.channels; }

constexpr std::size_t num_lanes = 8;  // a register of AVX2
using Lanes = float __attribute__((vector_size(num_lanes * sizeof(float))));
using BitLanes = std::int32_t __attribute__((vector_size(num_lanes * sizeof(float))));

}  // namespace

PARCONV_FOR_EVERY_CPU
void copy_row(Row dst, ConstRow src, RowShape shape) {
  shape = merged(shape, is_packed(dst, shape) && is_packed(src, shape));
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    const float* const in = src.data + p * src.pitch;
    PARCONV_INDEPENDENT
    for (index_t c = 0; c < shape.channels; ++c) out[c] = in[c];
  }
}

PARCONV_FOR_EVERY_CPU
void spread_row(Row dst, ConstRow src, RowShape shape) {
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    const float value = src.data[p * src.pitch];
    for (index_t c = 0; c < shape.channels; ++c) out[c] = value;
  }
}

PARCONV_FOR_EVERY_CPU
void fill_row(Row dst, float value, RowShape shape) {
  shape = merged(shape, is_packed(dst, shape));
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    for (index_t c = 0; c < shape.channels; ++c) out[c] = value;
  }
}

PARCONV_FOR_EVERY_CPU
void add_rows(Row dst, ConstRow a, ConstRow b, RowShape shape) {
  shape = merged(shape, is_packed(dst, shape) && is_packed(a, shape) && is_packed(b, shape));
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    const float* const x = a.data + p * a.pitch;
    const float* const y = b.data + p * b.pitch;
    PARCONV_INDEPENDENT
    for (index_t c = 0; c < shape.channels; ++c) out[c] = x[c] + y[c];
  }
}

/// dst = function(a, b), inlined into loops for every CPU.
template <class Function>
__attribute__((always_inline)) inline void for_pairs(Row dst, ConstRow a, ConstRow b, RowShape shape, Function function) {
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    const float* const x = a.data + p * a.pitch;
    const float* const y = b.data + p * b.pitch;
    PARCONV_INDEPENDENT
    for (index_t c = 0; c < shape.channels; ++c) out[c] = function(x[c], y[c]);
  }
}

PARCONV_FOR_EVERY_CPU
void combine_rows(BinaryKind kind, Row dst, ConstRow a, ConstRow b, RowShape shape) {
  shape = merged(shape, is_packed(dst, shape) && is_packed(a, shape) && is_packed(b, shape));
  switch (kind) {
    case BinaryKind::Mul:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x * y; });
    case BinaryKind::Sub:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x - y; });
    case BinaryKind::Div:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x / y; });
    case BinaryKind::Max:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return maximum(x, y); });
    case BinaryKind::Min:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return minimum(x, y); });
    case BinaryKind::PRelu:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x < 0 ? x * y : x; });
    case BinaryKind::Pow:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return power(x, y); });
    case BinaryKind::Equal:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x == y ? 1.0F : 0.0F; });
    case BinaryKind::Greater:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x > y ? 1.0F : 0.0F; });
    case BinaryKind::GreaterOrEqual:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x >= y ? 1.0F : 0.0F; });
    case BinaryKind::Reaches:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return ((x >= y) | (x != x)) ? 1.0F : 0.0F; });
    case BinaryKind::Keep:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x != 0 ? y : -0.0F; });
    case BinaryKind::Drop:
      return for_pairs(dst, a, b, shape, [](float x, float y) { return x != 0 ? -0.0F : y; });
  }
}

PARCONV_FOR_EVERY_CPU
void add_bias_to_row(Row dst, std::span<const float> bias, index_t pixels) {
  const auto channels = static_cast<index_t>(bias.size());
  const float* const b = bias.data();
  for (index_t p = 0; p < pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    PARCONV_INDEPENDENT
    for (index_t c = 0; c < channels; ++c) out[c] += b[c];
  }
}

PARCONV_FOR_EVERY_CPU
void scale_shift_row(Row dst, ConstRow src, std::span<const float> scale, std::span<const float> shift, index_t pixels) {
  const auto channels = static_cast<index_t>(scale.size());
  const float* const factors = scale.data();
  const float* const terms = shift.data();
  for (index_t p = 0; p < pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    const float* const in = src.data + p * src.pitch;
    PARCONV_INDEPENDENT
    for (index_t c = 0; c < channels; ++c) out[c] = factors[c] * in[c] + terms[c];
  }
}

PARCONV_FOR_EVERY_CPU
void divide(std::span<float> pixel, float divisor) {
  float* const out = pixel.data();
  for (std::size_t c = 0; c < pixel.size(); ++c) out[c] /= divisor;
}

PARCONV_FOR_EVERY_CPU
void leaky_relu_row(Row dst, RowShape shape, float alpha) {
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    for (index_t c = 0; c < shape.channels; ++c) out[c] = out[c] < 0 ? alpha * out[c] : out[c];
  }
}

PARCONV_FOR_EVERY_CPU
void relu_row(Row dst, RowShape shape) {
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    for (index_t c = 0; c < shape.channels; ++c) out[c] = out[c] < 0 ? 0 : out[c];
  }
}

PARCONV_FOR_EVERY_CPU
void clip_row(Row dst, RowShape shape, float lowest, float highest) {
  for (index_t p = 0; p < shape.pixels; ++p) {
    float* const out = dst.data + p * dst.pitch;
    for (index_t c = 0; c < shape.channels; ++c) {
      const float raised = out[c] < lowest ? lowest : out[c];
      out[c] = raised > highest ? highest : raised;
    }
  }
}

void activate_row(Row dst, RowShape shape, const Activation& activation) {
  shape = merged(shape, is_packed(dst, shape));
  switch (activation.kind) {
    case ActivationKind::None:
      return;
    case ActivationKind::Relu:
      return relu_row(dst, shape);
    case ActivationKind::LeakyRelu:
      return leaky_relu_row(dst, shape, activation.alpha);
    case ActivationKind::Clip:
      return clip_row(dst, shape, activation.alpha, activation.beta);
    default:
      for (index_t p = 0; p < shape.pixels; ++p)
        activate_smoothly({dst.data + p * dst.pitch, static_cast<std::size_t>(shape.channels)}, activation);
  }
}

float neutral_element(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::Sum:
      return 0;
    case ReduceKind::Product:
      return 1;
    case ReduceKind::Max:
      return -std::numeric_limits<float>::infinity();
    case ReduceKind::Min:
      return std::numeric_limits<float>::infinity();
  }
  return 0;
}

namespace {

/// Reduces value into result, for scalars and for vectors.
template <ReduceKind kind, class Number>
__attribute__((always_inline)) inline void join_to(Number& result, const Number& value) {
  if constexpr (kind == ReduceKind::Sum) result = result + value;
  if constexpr (kind == ReduceKind::Product) result = result * value;
  using Bits = std::conditional_t<std::is_same_v<Number, float>, std::int32_t, BitLanes>;
  if constexpr (kind == ReduceKind::Max) raise_to<Number, Bits>(result, value);
  if constexpr (kind == ReduceKind::Min) lower_to<Number, Bits>(result, value);
}

/// Inlined into loops for every CPU.
template <ReduceKind kind>
__attribute__((always_inline)) inline void join_all_taps(std::span<float> pixel, Taps taps) {
  const float first = neutral_element(kind);
  std::size_t c = 0;
  for (; c + 2 * num_lanes <= pixel.size(); c += 2 * num_lanes) {  // two at a time hide the latency of each other
    Lanes low = Lanes{} + first, high = low, value;
    for (const float* const tap : taps) {
      std::memcpy(&value, tap + c, sizeof value);
      join_to<kind>(low, value);
      std::memcpy(&value, tap + c + num_lanes, sizeof value);
      join_to<kind>(high, value);
    }
    std::memcpy(pixel.data() + c, &low, sizeof low);
    std::memcpy(pixel.data() + c + num_lanes, &high, sizeof high);
  }
  for (; c + num_lanes <= pixel.size(); c += num_lanes) {
    Lanes result = Lanes{} + first, value;
    for (const float* const tap : taps) {
      std::memcpy(&value, tap + c, sizeof value);
      join_to<kind>(result, value);
    }
    std::memcpy(pixel.data() + c, &result, sizeof result);
  }
  for (; c < pixel.size(); ++c) {
    float result = first;
    for (const float* const tap : taps) join_to<kind>(result, tap[c]);
    pixel[c] = result;
  }
}

template <ReduceKind kind>
float join_all(float first, std::span<const float> numbers) {
  for (const float number : numbers) join_to<kind>(first, number);
  return first;
}

}  // namespace

PARCONV_FOR_EVERY_CPU
void join_taps(ReduceKind kind, std::span<float> pixel, Taps taps) {
  switch (kind) {
    case ReduceKind::Sum:
      return join_all_taps<ReduceKind::Sum>(pixel, taps);
    case ReduceKind::Product:
      return join_all_taps<ReduceKind::Product>(pixel, taps);
    case ReduceKind::Max:
      return join_all_taps<ReduceKind::Max>(pixel, taps);
    case ReduceKind::Min:
      return join_all_taps<ReduceKind::Min>(pixel, taps);
  }
}

void sum_taps(std::span<float> pixel, Taps taps) { join_taps(ReduceKind::Sum, pixel, taps); }

void max_taps(std::span<float> pixel, Taps taps) { join_taps(ReduceKind::Max, pixel, taps); }

float join(ReduceKind kind, float first, std::span<const float> numbers) {
  switch (kind) {
    case ReduceKind::Sum:
      return join_all<ReduceKind::Sum>(first, numbers);
    case ReduceKind::Product:
      return join_all<ReduceKind::Product>(first, numbers);
    case ReduceKind::Max:
      return join_all<ReduceKind::Max>(first, numbers);
    case ReduceKind::Min:
      return join_all<ReduceKind::Min>(first, numbers);
  }
  return 0;
}

}  // namespace parconv::cpu
