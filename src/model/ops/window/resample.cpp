// SPDX-License-Identifier: Apache-2.0
#include "model/ops/window/resample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/core/overloaded.hpp"

namespace parconv {
namespace {

/// Axes of a Resample along which a backend selects. Samples are not among them: a run of samples needs no computation.
constexpr std::array<Axis, 4> changeable_axes{Axis::C, Axis::D, Axis::H, Axis::W};

/// The size of the output between whose corners inputs are aligned: its own, or the fraction that a scale asks for. A scale that
/// is the rounded ratio of the sizes stands for them. Example: 4 inputs times 0.6 are 2.4, of which 2 are computed.
float aligned_size(float scale, index_t out_size, index_t in_size) {
  const auto out = static_cast<float>(out_size), in = static_cast<float>(in_size);
  return scale == out / in ? out : in * scale;
}

/// The input coordinate of an output, in f32 as ONNX computes it. Monotonic in the output.
float place_of(Coordinates coordinates, float scale, index_t out, index_t out_size, index_t in_size) {
  const auto o = static_cast<float>(out);
  switch (coordinates) {
    case Coordinates::HalfPixel:
      return (o + 0.5F) / scale - 0.5F;
    case Coordinates::PytorchHalfPixel:
      return out_size > 1 ? (o + 0.5F) / scale - 0.5F : 0;
    case Coordinates::Asymmetric:
      return o / scale;
    case Coordinates::HalfPixelSymmetric: {
      const float true_size = scale * static_cast<float>(in_size);
      const float middle = static_cast<float>(in_size) / 2;
      return middle * (1 - static_cast<float>(out_size) / true_size) + (o + 0.5F) / scale - 0.5F;
    }
    case Coordinates::AlignCorners: {
      const float size = aligned_size(scale, out_size, in_size);
      return size > 1 ? o * static_cast<float>(in_size - 1) / (size - 1) : 0;
    }
  }
  return 0;
}

__extension__ typedef __int128 Wide;

/// A rational number; the denominator is positive.
struct Ratio {
  Wide numerator = 0;
  Wide denominator = 1;
};

/// A positive number, exactly.
Ratio ratio_of(float number) {
  int exponent = 0;
  const auto mantissa = static_cast<Wide>(std::ldexp(std::frexp(number, &exponent), std::numeric_limits<float>::digits));
  exponent -= std::numeric_limits<float>::digits;  // number = mantissa * 2^exponent
  return exponent < 0 ? Ratio{mantissa, Wide{1} << -exponent} : Ratio{mantissa << exponent, 1};
}

/// 1 / scale: inputs per output.
Ratio step_of(const NearestAxis& axis, index_t out_size, index_t in_size) {
  if (axis.is_scaled_by_size) return {in_size, out_size};
  const Ratio scale = ratio_of(axis.scale);
  return {scale.denominator, scale.numerator};
}

Ratio exact_aligned_place_of(const NearestAxis& axis, index_t out, index_t out_size, index_t in_size) {
  const float size = axis.is_scaled_by_size ? static_cast<float>(out_size) : aligned_size(axis.scale, out_size, in_size);
  if (!(size > 1)) return {};
  if (size == static_cast<float>(out_size)) return {Wide{out} * (in_size - 1), out_size - 1};
  const auto [p, q] = ratio_of(size);
  return {Wide{out} * (in_size - 1) * q, p - q};
}

/// The same as place_of, exactly.
Ratio exact_place_of(const NearestAxis& axis, index_t out, index_t out_size, index_t in_size) {
  const auto [p, q] = step_of(axis, out_size, in_size);
  const Ratio half_pixel{(2 * Wide{out} + 1) * p - q, 2 * q};
  switch (axis.coordinates) {
    case Coordinates::HalfPixel:
      return half_pixel;
    case Coordinates::PytorchHalfPixel:
      return out_size > 1 ? half_pixel : Ratio{};
    case Coordinates::Asymmetric:
      return {out * p, q};
    case Coordinates::HalfPixelSymmetric:
      return {half_pixel.numerator + in_size * q - out_size * p, half_pixel.denominator};
    case Coordinates::AlignCorners:
      return exact_aligned_place_of(axis, out, out_size, in_size);
  }
  return {};
}

Wide floor_of(const Ratio& ratio) {
  const Wide quotient = ratio.numerator / ratio.denominator;
  return ratio.numerator % ratio.denominator < 0 ? quotient - 1 : quotient;
}

Wide rounded(NearestRounding rounding, const Ratio& place) {
  const auto& [p, q] = place;
  switch (rounding) {
    case NearestRounding::Floor:
      return floor_of(place);
    case NearestRounding::Ceil:
      return -floor_of({-p, q});
    case NearestRounding::HalfDown:
      return -floor_of({q - 2 * p, 2 * q});
    case NearestRounding::HalfUp:
      return floor_of({2 * p + q, 2 * q});
  }
  return 0;
}

constexpr AxisTap exactly(index_t input) { return {.lo = input, .hi = input}; }

AxisTap take(const TakeAxis& axis, index_t out, index_t in_size) {
  const index_t at = axis.start + out * axis.step;
  if (at >= 0 && at < in_size) return exactly(at);
  switch (axis.border) {
    case Border::Fill:
      return exactly(-1);
    case Border::Reflect:
      return exactly(at < 0 ? -at : 2 * (in_size - 1) - at);
    case Border::Edge:
      return exactly(at < 0 ? 0 : in_size - 1);
    case Border::Wrap:
      return exactly((at % in_size + in_size) % in_size);
  }
  return exactly(-1);
}

AxisTap nearest(const NearestAxis& axis, index_t out, index_t out_size, index_t in_size) {
  const Wide place = rounded(axis.rounding, exact_place_of(axis, out, out_size, in_size));
  return exactly(static_cast<index_t>(std::clamp<Wide>(place, 0, in_size - 1)));
}

AxisTap linear(const LinearAxis& axis, index_t out, index_t out_size, index_t in_size) {
  const float place = place_of(axis.coordinates, axis.scale, out, out_size, in_size);
  const float clipped = std::clamp(place, 0.0F, static_cast<float>(in_size - 1));
  const index_t lo = std::min(static_cast<index_t>(clipped), in_size - 1);
  const float weight = clipped - static_cast<float>(lo);
  if (weight <= 0 || lo + 1 >= in_size) return exactly(lo);
  return {.lo = lo, .hi = lo + 1, .weight = weight};
}

/// Outputs that read the first and the last input needed by `out`: its ends, and the positions at which it enters and leaves
/// the input.
std::array<index_t, 4> turning_points(const ResampledAxis& axis, Interval out, index_t in_size) {
  std::array<index_t, 4> points{out.lo, out.hi - 1, out.lo, out.hi - 1};
  const auto* taken = std::get_if<TakeAxis>(&axis.method);
  if (taken != nullptr && taken->step >= 1) {
    points[2] = std::clamp(ceil_div(-taken->start, taken->step), out.lo, out.hi - 1);
    points[3] = std::clamp(ceil_div(in_size - taken->start, taken->step) - 1, out.lo, out.hi - 1);
  }
  return points;
}

/// True if `out` wraps around: it reads inputs from the end and from the beginning.
bool wraps(const ResampledAxis& axis, Interval out, index_t in_size) {
  const auto* taken = std::get_if<TakeAxis>(&axis.method);
  if (taken == nullptr || taken->border != Border::Wrap || taken->step != 1) return false;
  const auto round = [&](index_t o) { return floor_div(taken->start + o, in_size); };
  return round(out.lo) != round(out.hi - 1);
}

/// Refuses parameters that `take` does not support; `axis` has `size` outputs.
void check_take(const TakeAxis& take, const ResampledAxis& axis, Axis along, index_t in_size, const OperandShapes& operands) {
  const char* node = operands.node.c_str();
  const index_t last = checked_add(take.start, checked_mul(axis.size - 1, take.step, node), node);
  const bool is_inside = std::min(take.start, last) >= 0 && std::max(take.start, last) < in_size;
  if (along == Axis::N && (!is_inside || take.step != 1)) operands.refuse("of samples, only a run can be taken");
  if (is_inside) return;
  if (take.step < 1)
    operands.refuse(concat("takes from ", take.start, " to ", last, " of the ", in_size, " inputs along ", name_of(along)));
  if (take.border == Border::Wrap && take.step != 1)
    operands.refuse(concat("its step along ", name_of(along), " is ", take.step, ", but must be 1 to begin again"));
  if (take.border == Border::Wrap) return;
  if (along == Axis::C) operands.refuse("channels can be taken, but not be padded");
  if (take.border != Border::Reflect) return;
  if (take.start <= -in_size || last > 2 * (in_size - 1))
    operands.refuse(concat("reflects more than the ", in_size, " inputs along ", name_of(along), " have"));
}

void check_scale(float scale, Axis along, const OperandShapes& operands) {
  if (!is_spatial(along)) operands.refuse(concat(along == Axis::C ? "channels" : "samples", " cannot be resized"));
  if (!(scale >= 0x1p-60F && scale <= 0x1p60F))
    operands.refuse(concat("its scale along ", name_of(along), " is ", scale, ", but must be positive, from 2^-60 to 2^60"));
}

void check_axis(const ResampledAxis& axis, Axis along, index_t in_size, const OperandShapes& operands) {
  if (axis.size < 1)
    operands.refuse(concat("makes ", axis.size, " outputs along ", name_of(along), ", but must make at least 1"));
  std::visit(Overloaded{[](const KeepAxis&) {}, [&](const TakeAxis& take) { check_take(take, axis, along, in_size, operands); },
                        [&](const NearestAxis& nearest) { check_scale(nearest.scale, along, operands); },
                        [&](const LinearAxis& linear) { check_scale(linear.scale, along, operands); }},
             axis.method);
}

bool is_kept(const ResampledAxis& axis) { return std::holds_alternative<KeepAxis>(axis.method); }

AxisTap shifted(AxisTap tap, index_t by) { return tap.lo < 0 ? tap : AxisTap{tap.lo + by, tap.hi + by, tap.weight}; }

}  // namespace

AxisTap tap_of(const ResampledAxis& axis, index_t out, index_t in_size) {
  return std::visit(Overloaded{[&](const KeepAxis&) { return exactly(out); },
                               [&](const TakeAxis& method) { return take(method, out, in_size); },
                               [&](const NearestAxis& method) { return nearest(method, out, axis.size, in_size); },
                               [&](const LinearAxis& method) { return linear(method, out, axis.size, in_size); }},
                    axis.method);
}

Interval inputs_of(const ResampledAxis& axis, Interval out, index_t in_size) {
  if (is_kept(axis) || out.is_empty()) return out;
  if (wraps(axis, out, in_size)) return {0, in_size};
  Interval inputs;
  for (index_t point : turning_points(axis, out, in_size)) {
    const AxisTap tap = tap_of(axis, point, in_size);
    if (tap.lo >= 0) inputs = hull(inputs, Interval{tap.lo, tap.hi + 1});
  }
  return inputs;
}

Shape Rules<Resample>::output_shape(const Resample& op, const OperandShapes& operands) {
  Shape out = operands.only();
  for (Axis axis : all_axes) {
    if (is_kept(op[axis])) continue;
    check_axis(op[axis], axis, out.extents[axis], operands);
    out.extents[axis] = op[axis].size;
  }
  return out;
}

bool Rules<Resample>::mixes_samples(const Resample& op, const NodeView&) { return !is_kept(op[Axis::N]); }

Box Rules<Resample>::needed_box(const Resample& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  Box need = work.computed;
  for (Axis axis : all_axes) need[axis] = inputs_of(op[axis], work.computed[axis], view.in(operand)[axis]);
  return need;
}

LocalKind Rules<Resample>::localise(const Resample& op, const NodeView& view, const WorkRegion& work, const Box& need) {
  if (need.is_empty()) return LocalFill{.value = op.fill};
  LocalResample local{.fill = op.fill};
  for (Axis axis : changeable_axes) {
    const Interval out = work.computed[axis];
    for (index_t o = out.lo; o < out.hi; ++o)
      local[axis].push_back(shifted(tap_of(op[axis], o, view.in()[axis]), -need[axis].lo));
  }
  return local;
}

}  // namespace parconv
