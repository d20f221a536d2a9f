// SPDX-License-Identifier: Apache-2.0
#include "model/ops/window/conv.hpp"

#include "model/ops/elementwise/channels.hpp"

namespace parconv {
namespace {

bool covers_whole_input(const WindowAxis& window, index_t in_size) {
  return window.pad_lo == 0 && window.pad_hi == 0 && window.dilation == 1 && window.kernel == in_size;
}

/// The taps of a kernel axis within the contracted inputs: all of them unless space is contracted. Space is contracted only for
/// a window over the full extent, where tap t reads input t.
Interval taps_of(const WindowAxis& window, Interval contracted, index_t in_size) {
  return covers_whole_input(window, in_size) ? contracted : Interval{0, window.kernel};
}

}  // namespace

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

std::array<bool, num_axes> Rules<Conv>::contracted_axes(const Conv& op, const NodeView& view) {
  std::array<bool, num_axes> result{};
  result[static_cast<std::size_t>(Axis::C)] = true;
  for (Axis axis : spatial_axes)
    result[static_cast<std::size_t>(axis)] = view.in()[axis] > 1 && covers_whole_input(op.window[axis], view.in()[axis]);
  return result;
}

LocalKind Rules<Conv>::localise(const Conv& conv, const NodeView& view, const WorkRegion& work, const Box& need) {
  if (need.is_empty()) return LocalFill{};
  LocalConv local{.window = conv.window,
                  .blocks = channel_blocks(groups_of(conv), work.computed[Axis::C], need[Axis::C]),
                  .filter = conv.filter,
                  .leaves = leaves_of(conv.filter, conv.leaf_rule)};
  std::array<Interval, 3> kernel{};
  for (Axis axis : spatial_axes) {
    const Interval taps = taps_of(conv.window[axis], work.contracted[axis], view.in()[axis]);
    local.window[axis] = local_window(conv.window[axis], work.computed[axis], need[axis], taps);
    kernel[static_cast<std::size_t>(axis) - 2] = taps;
  }
  for (ChannelBlock& block : local.blocks) block.filter.kernel = kernel;
  return local;
}

double Rules<Conv>::flops(const Conv& op, const NodeView& view, const WorkRegion& work) {
  double taps = static_cast<double>(work.contracted[Axis::C].size()) / static_cast<double>(op.groups);
  for (Axis axis : spatial_axes)
    taps *= static_cast<double>(taps_of(op.window[axis], work.contracted[axis], view.in()[axis]).size());
  return 2 * static_cast<double>(volume(work.computed)) * taps;
}

index_t Rules<Conv>::weight_elems(const Conv& op, const NodeView& view, const WorkRegion& work) {
  if (work.computed.is_empty()) return 0;
  index_t elems = work.computed[Axis::C].size();
  const Box need = needed_box(op, view, 0, work);
  if (need.is_empty()) return elems;
  index_t taps = 1;
  for (Axis axis : spatial_axes) taps *= taps_of(op.window[axis], work.contracted[axis], view.in()[axis]).size();
  for (const ChannelBlock& block : channel_blocks(groups_of(op), work.computed[Axis::C], need[Axis::C]))
    elems += block.filter.oc.size() * block.filter.ic.size() * taps;
  return elems;
}

}  // namespace parconv
