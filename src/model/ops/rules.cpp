// SPDX-License-Identifier: Apache-2.0
#include "model/ops/rules.hpp"

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

index_t windowed(const WindowAxis& window, index_t in_size, const char* axis, const OperandShapes& operands) {
  const auto require = [&](bool holds, const char* attribute, index_t value, const char* rule) {
    if (!holds) operands.refuse(concat(attribute, " along ", axis, " is ", value, ", but must be ", rule));
  };
  require(window.kernel >= 1, "kernel", window.kernel, "at least 1");
  require(window.stride >= 1, "stride", window.stride, "at least 1");
  require(window.dilation >= 1, "dilation", window.dilation, "at least 1");
  require(window.pad_lo >= 0, "padding at the low end", window.pad_lo, "at least 0");
  require(window.pad_hi >= 0, "padding at the high end", window.pad_hi, "at least 0");
  const char* node = operands.node.c_str();
  const index_t span = checked_add(checked_mul(window.dilation, window.kernel - 1, node), 1, node);
  const index_t padded = checked_add(checked_add(in_size, window.pad_lo, node), window.pad_hi, node);
  if (padded < span)
    operands.refuse(concat("its window spans ", span, " along ", axis, ", but the padded input has only ", padded));
  return window.output_size(in_size);
}

}  // namespace

void OperandShapes::refuse(const std::string& why) const { throw Error(ExitCode::BadData, concat(node, ": ", why)); }

const Shape& OperandShapes::first() const {
  if (shapes.empty()) refuse("expects at least one input, but has none");
  return shapes.front();
}

const Shape& OperandShapes::only() const {
  if (shapes.size() != 1) refuse(concat("expects one input, but has ", shapes.size()));
  return shapes.front();
}

void OperandShapes::check_count(const char* what, std::size_t found, index_t expected) const {
  if (found != static_cast<std::size_t>(expected)) refuse(concat("has ", found, " ", what, " for ", expected, " channels"));
}

Shape slide(const Window& window, const Shape& in, const OperandShapes& operands) {
  Shape out = in;
  for (Axis axis : spatial_axes) out.extents[axis] = windowed(window[axis], in.extents[axis], name_of(axis), operands);
  return out;
}

Box needed_by_window(const Window& window, const Extents& in, const WorkRegion& work, Interval channels) {
  Box need;
  need[Axis::N] = work.computed[Axis::N];
  need[Axis::C] = channels;
  for (Axis axis : spatial_axes)
    need[axis] = intersect(window[axis].clipped_input_range(work.computed[axis], in[axis]), work.contracted[axis]);
  return need;
}

WindowAxis local_window(const WindowAxis& window, Interval out, Interval need, Interval taps) {
  WindowAxis local = window;
  local.kernel = taps.size();
  const Interval range = window.input_range(out);
  local.pad_lo = need.lo - range.lo - taps.lo;
  local.pad_hi = range.hi - need.hi - (window.kernel - taps.hi);
  return local;
}

double taps_per_output(const Window& window) {
  double taps = 1;
  for (const WindowAxis& axis : window.axes) taps *= static_cast<double>(axis.kernel);
  return taps;
}

std::vector<float> channel_slice(const std::vector<float>& values, Interval channels) {
  if (values.empty()) return {};
  return {values.begin() + channels.lo, values.begin() + channels.hi};
}

Extents offset_in(const Box& inner, const Box& outer) {
  Extents offset;
  for (Axis axis : all_axes) offset[axis] = inner[axis].lo - outer[axis].lo;
  return offset;
}

}  // namespace parconv
