#include "model/ops/conv.hpp"

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

index_t groups_size_out(const Conv& conv) { return conv.filter.oc / conv.groups; }

/// Input channels of the groups that output channels `oc` belong to.
/// Example: 8 outputs and 4 inputs in 2 groups: outputs [3, 4) belong to group 0 and need inputs [0, 2).
Interval group_inputs(const Conv& conv, Interval oc) {
  if (oc.is_empty()) return {0, 0};
  const index_t first_group = oc.lo / groups_size_out(conv);
  const index_t last_group = ceil_div(oc.hi, groups_size_out(conv));
  return {first_group * conv.filter.ic_per_group, last_group * conv.filter.ic_per_group};
}

bool covers_whole_input(const WindowAxis& window, index_t in_size) {
  return window.pad_lo == 0 && window.pad_hi == 0 && window.dilation == 1 && window.kernel == in_size;
}

/// The taps of a kernel axis that fall into the contracted inputs: all of them unless space is contracted, which it is only for
/// a window over the full extent, where tap t reads input t.
Interval taps_of(const WindowAxis& window, Interval contracted, index_t in_size) {
  return covers_whole_input(window, in_size) ? contracted : Interval{0, window.kernel};
}

/// Pieces of `conv` for output channels `oc` and input channels `ic`: a head that is part of a group, whole groups, a tail.
std::vector<ChannelPiece> channel_pieces(const Conv& conv, Interval oc, Interval ic) {
  const index_t group_oc = groups_size_out(conv);
  const index_t group_ic = conv.filter.ic_per_group;
  std::vector<ChannelPiece> pieces;
  for (index_t group = oc.lo / group_oc; group * group_oc < oc.hi; ++group) {
    const Interval out = intersect(oc, Interval{group * group_oc, (group + 1) * group_oc});
    const Interval in = intersect(ic, Interval{group * group_ic, (group + 1) * group_ic});
    if (in.is_empty()) continue;
    const bool is_whole = out.size() == group_oc && in.size() == group_ic;
    const Interval within = in.shifted(-group * group_ic);
    if (is_whole && !pieces.empty() && pieces.back().filter.ic == within &&
        pieces.back().dst.size() == pieces.back().groups * group_oc) {
      pieces.back().groups += 1;
      pieces.back().src.hi = in.hi - ic.lo;
      pieces.back().dst.hi = out.hi - oc.lo;
      pieces.back().filter.oc.hi = out.hi;
      continue;
    }
    pieces.push_back({.groups = 1,
                      .src = in.shifted(-ic.lo),
                      .dst = out.shifted(-oc.lo),
                      .filter = {.oc = out, .ic = within, .kernel = {}}});
  }
  return pieces;
}

void check_filter(const Conv& op, index_t ic, const OperandShapes& operands) {
  const Filter& filter = op.filter;
  if (op.groups < 1 || filter.oc < 1 || filter.ic_per_group < 1)
    operands.refuse(concat("has ", op.groups, " groups, ", filter.oc, " output channels and ", filter.ic_per_group,
                           " input channels a group; each must be at least 1"));
  if (filter.oc % op.groups != 0)
    operands.refuse(concat(filter.oc, " output channels are not a multiple of ", op.groups, " groups"));
  if (checked_mul(filter.ic_per_group, op.groups, operands.node.c_str()) != ic)
    operands.refuse(concat("its filter is for ", op.groups, " groups of ", filter.ic_per_group,
                           " input channels, but the input has ", ic, " channels"));
  for (Axis axis : spatial_axes)
    if (filter.kernel[static_cast<std::size_t>(axis) - 2] != op.window[axis].kernel)
      operands.refuse(concat("kernel along ", name_of(axis), " is ", op.window[axis].kernel, ", but the filter has ",
                             filter.kernel[static_cast<std::size_t>(axis) - 2]));
  if (filter.scale) operands.check_count("factors of the filter", filter.scale->size(), filter.oc);
}

}  // namespace

Shape Rules<Conv>::output_shape(const Conv& op, const OperandShapes& operands) {
  const Shape& in = operands.only();
  check_filter(op, in.extents[Axis::C], operands);
  Shape out = slide(op.window, in, operands);
  out.extents[Axis::C] = op.filter.oc;
  return out;
}

Box Rules<Conv>::needed_box(const Conv& op, const NodeView& view, std::size_t operand, const Share& share) {
  const Interval channels = intersect(group_inputs(op, share.computed[Axis::C]), share.contracted[Axis::C]);
  return needed_by_window(op.window, view.in(operand), share, channels);
}

std::array<bool, num_axes> Rules<Conv>::contracted_axes(const Conv& op, const NodeView& view) {
  std::array<bool, num_axes> result{};
  result[static_cast<std::size_t>(Axis::C)] = true;
  for (Axis axis : spatial_axes)
    result[static_cast<std::size_t>(axis)] = view.in()[axis] > 1 && covers_whole_input(op.window[axis], view.in()[axis]);
  return result;
}

LocalKind Rules<Conv>::localise(const Conv& conv, const NodeView& view, const Share& share, const Box& need) {
  if (need.is_empty()) return LocalFill{};
  LocalConv local{.window = conv.window, .pieces = channel_pieces(conv, share.computed[Axis::C], need[Axis::C]), .filter = conv.filter};
  std::array<Interval, 3> kernel{};
  for (Axis axis : spatial_axes) {
    const Interval taps = taps_of(conv.window[axis], share.contracted[axis], view.in()[axis]);
    local.window[axis] = local_window(conv.window[axis], share.computed[axis], need[axis], taps);
    kernel[static_cast<std::size_t>(axis) - 2] = taps;
  }
  for (ChannelPiece& piece : local.pieces) piece.filter.kernel = kernel;
  return local;
}

double Rules<Conv>::flops(const Conv& op, const NodeView& view, const Share& share) {
  double taps = static_cast<double>(share.contracted[Axis::C].size()) / static_cast<double>(op.groups);
  for (Axis axis : spatial_axes)
    taps *= static_cast<double>(taps_of(op.window[axis], share.contracted[axis], view.in()[axis]).size());
  return 2 * static_cast<double>(volume(share.computed)) * taps;
}

index_t Rules<Conv>::weight_elems(const Conv& op, const NodeView& view, const Share& share) {
  if (share.computed.is_empty()) return 0;
  index_t elems = share.computed[Axis::C].size();
  const Box need = needed_box(op, view, 0, share);
  if (need.is_empty()) return elems;
  index_t taps = 1;
  for (Axis axis : spatial_axes) taps *= taps_of(op.window[axis], share.contracted[axis], view.in()[axis]).size();
  for (const ChannelPiece& piece : channel_pieces(op, share.computed[Axis::C], need[Axis::C]))
    elems += piece.filter.oc.size() * piece.filter.ic.size() * taps;
  return elems;
}

}  // namespace parconv
