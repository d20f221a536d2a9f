// SPDX-License-Identifier: Apache-2.0
#include "model/ops/window/conv_transpose.hpp"

#include <algorithm>

#include "model/ops/elementwise/channels.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

index_t stretched(const WindowAxis& window, index_t in_size, const char* axis, const OperandShapes& operands) {
  if (window.kernel < 1 || window.stride < 1 || window.dilation < 1)
    operands.refuse(concat("kernel, stride and dilation along ", axis, " are ", window.kernel, ", ", window.stride, " and ",
                           window.dilation, "; each must be at least 1"));
  if (window.pad_lo < 0)
    operands.refuse(concat("padding at the low end along ", axis, " is ", window.pad_lo, ", must not be negative"));
  const char* node = operands.node.c_str();
  const index_t span = checked_add(checked_mul(window.dilation, window.kernel - 1, node), 1, node);
  const index_t full = checked_add(checked_mul(window.stride, in_size - 1, node), span, node);
  const index_t out = checked_add(full, -checked_add(window.pad_lo, window.pad_hi, node), node);
  if (out < 1) operands.refuse(concat("its padding along ", axis, " leaves nothing of ", full, " outputs"));
  return out;
}

/// Inputs that land on `out`.
/// Example: kernel 4, stride 2, pad 1: output o gets inputs i with o + 1 = 2 i + t, so outputs [3, 5) need inputs [1, 3).
Interval inputs_of(const WindowAxis& window, Interval out, index_t in_size) {
  if (out.is_empty()) return {0, 0};
  const index_t first = ceil_div(out.lo + window.pad_lo - (window.span() - 1), window.stride);
  const index_t end = floor_div(out.hi - 1 + window.pad_lo, window.stride) + 1;
  return intersect(Interval{first, end}, {0, in_size});
}

}  // namespace

Shape Rules<ConvTranspose>::output_shape(const ConvTranspose& op, const OperandShapes& operands) {
  check_filter(op.filter, op.groups, op.window, operands);
  Shape out = operands.only();
  for (Axis axis : spatial_axes) out.extents[axis] = stretched(op.window[axis], out.extents[axis], name_of(axis), operands);
  out.extents[Axis::C] = op.filter.oc;
  return out;
}

Box Rules<ConvTranspose>::needed_box(const ConvTranspose& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  Box need;
  need[Axis::N] = work.computed[Axis::N];
  need[Axis::C] = intersect(group_inputs(groups_of(op), work.computed[Axis::C]), work.contracted[Axis::C]);
  for (Axis axis : spatial_axes) need[axis] = inputs_of(op.window[axis], work.computed[axis], view.in(operand)[axis]);
  return need;
}

std::array<bool, num_axes> Rules<ConvTranspose>::contracted_axes(const ConvTranspose&, const NodeView&) {
  std::array<bool, num_axes> result{};
  result[static_cast<std::size_t>(Axis::C)] = true;
  return result;
}

LocalKind Rules<ConvTranspose>::localise(const ConvTranspose& op, const NodeView&, const WorkRegion& work, const Box& need) {
  if (need.is_empty()) return LocalFill{};
  LocalDeconv local{.window = op.window,
                    .blocks = channel_blocks(groups_of(op), work.computed[Axis::C], need[Axis::C]),
                    .filter = op.filter,
                    .leaves = leaves_of(op.filter, op.leaf_rule)};
  for (Axis axis : spatial_axes) {
    local.window[axis].pad_lo = op.window[axis].pad_lo + work.computed[axis].lo - need[axis].lo * op.window[axis].stride;
    local.window[axis].pad_hi = 0;
  }
  const auto& kernel = op.filter.kernel;
  for (ChannelBlock& block : local.blocks) block.filter.kernel = {{{0, kernel[0]}, {0, kernel[1]}, {0, kernel[2]}}};
  return local;
}

double Rules<ConvTranspose>::flops(const ConvTranspose& op, const NodeView&, const WorkRegion& work) {
  double taps = static_cast<double>(work.contracted[Axis::C].size()) / static_cast<double>(op.groups);
  for (const WindowAxis& axis : op.window.axes) taps *= static_cast<double>(axis.kernel) / static_cast<double>(axis.stride);
  return 2 * static_cast<double>(volume(work.computed)) * taps;
}

index_t Rules<ConvTranspose>::weight_elems(const ConvTranspose& op, const NodeView& view, const WorkRegion& work) {
  if (work.computed.is_empty()) return 0;
  index_t elems = work.computed[Axis::C].size();
  const Box need = needed_box(op, view, 0, work);
  if (need.is_empty()) return elems;
  const index_t taps = op.filter.kernel[0] * op.filter.kernel[1] * op.filter.kernel[2];
  for (const ChannelBlock& block : channel_blocks(groups_of(op), work.computed[Axis::C], need[Axis::C]))
    elems += block.filter.oc.size() * block.filter.ic.size() * taps;
  return elems;
}

}  // namespace parconv
