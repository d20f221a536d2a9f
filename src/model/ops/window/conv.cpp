// SPDX-License-Identifier: Apache-2.0
#include "model/ops/window/conv.hpp"

#include "model/ops/elementwise/channels.hpp"

namespace parconv {
Shape Rules<Conv>::output_shape(const Conv& op, const OperandShapes& operands) {
  const Shape& in = operands.only();
  check_filter(op.filter, op.groups, op.window, operands);
  Shape out = slide(op.window, in, operands);
  out.extents[Axis::C] = op.filter.oc;
  return out;
}

Box Rules<Conv>::needed_box(const Conv& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  const Interval channels = intersect(group_inputs(groups_of(op), work.computed[Axis::C]), work.contracted[Axis::C]);
  return needed_by_window(op.window, view.in(operand), work, channels);
}

std::array<bool, num_axes> Rules<Conv>::contracted_axes(const Conv&, const NodeView&) {
  std::array<bool, num_axes> result{};
  result[static_cast<std::size_t>(Axis::C)] = true;
  return result;
}

LocalKind Rules<Conv>::localise(const Conv& conv, const NodeView&, const WorkRegion& work, const Box& need) {
  if (need.is_empty()) return LocalFill{};
  LocalConv local{.window = conv.window,
                  .blocks = channel_blocks(groups_of(conv), work.computed[Axis::C], need[Axis::C]),
                  .filter = conv.filter,
                  .leaves = leaves_of(conv.filter, conv.leaf_rule)};
  std::array<Interval, 3> kernel{};
  for (Axis axis : spatial_axes) {
    const Interval taps{0, conv.window[axis].kernel};
    local.window[axis] = local_window(conv.window[axis], work.computed[axis], need[axis], taps);
    kernel[static_cast<std::size_t>(axis) - 2] = taps;
  }
  for (ChannelBlock& block : local.blocks) block.filter.kernel = kernel;
  return local;
}

double Rules<Conv>::flops(const Conv& op, const NodeView&, const WorkRegion& work) {
  double taps = static_cast<double>(work.contracted[Axis::C].size()) / static_cast<double>(op.groups);
  for (const WindowAxis& axis : op.window.axes) taps *= static_cast<double>(axis.kernel);
  return 2 * static_cast<double>(volume(work.computed)) * taps;
}

index_t Rules<Conv>::weight_elems(const Conv& op, const NodeView& view, const WorkRegion& work) {
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
