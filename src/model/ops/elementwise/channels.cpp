// SPDX-License-Identifier: Apache-2.0
#include "model/ops/elementwise/channels.hpp"

#include <algorithm>

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {

Interval group_inputs(const ChannelGroups& channels, Interval oc) {
  if (oc.is_empty()) return {0, 0};
  return {oc.lo / channels.oc * channels.ic, ceil_div(oc.hi, channels.oc) * channels.ic};
}

std::vector<ChannelBlock> channel_blocks(const ChannelGroups& channels, Interval oc, Interval ic) {
  const index_t group_oc = channels.oc;
  const index_t group_ic = channels.ic;
  const index_t end = std::min(ceil_div(oc.hi, group_oc), ceil_div(ic.hi, group_ic));
  std::vector<ChannelBlock> blocks;
  for (index_t group = std::max(oc.lo / group_oc, ic.lo / group_ic); group < end;) {
    // All whole groups from here on, or else the available part of one.
    const bool is_whole = oc.lo <= group * group_oc && ic.lo <= group * group_ic;
    const index_t whole = is_whole ? std::min(oc.hi / group_oc, ic.hi / group_ic) - group : 0;
    const index_t count = std::max<index_t>(whole, 1);
    const Interval out = intersect(oc, Interval{group * group_oc, (group + count) * group_oc});
    const Interval in = intersect(ic, Interval{group * group_ic, (group + count) * group_ic});
    const Interval within = whole > 0 ? Interval{0, group_ic} : in.shifted(-group * group_ic);
    group += count;
    if (out.is_empty() || in.is_empty()) continue;
    blocks.push_back({.groups = count,
                      .src = in.shifted(-ic.lo),
                      .dst = out.shifted(-oc.lo),
                      .filter = {.oc = out, .ic = within, .kernel = {}}});
  }
  return blocks;
}

void check_filter(const Filter& filter, index_t groups, const Window& window, const OperandShapes& operands) {
  const index_t ic = operands.only().extents[Axis::C];
  if (groups < 1 || filter.oc < 1 || filter.ic_per_group < 1)
    operands.refuse(concat("has ", groups, " groups, ", filter.oc, " output channels and ", filter.ic_per_group,
                           " input channels a group; each must be at least 1"));
  if (filter.oc % groups != 0) operands.refuse(concat(filter.oc, " output channels are not a multiple of ", groups, " groups"));
  if (checked_mul(filter.ic_per_group, groups, operands.node.c_str()) != ic)
    operands.refuse(concat("its filter is for ", groups, " groups of ", filter.ic_per_group,
                           " input channels, but the input has ", ic, " channels"));
  for (Axis axis : spatial_axes)
    if (filter.kernel[static_cast<std::size_t>(axis) - 2] != window[axis].kernel)
      operands.refuse(concat("kernel along ", name_of(axis), " is ", window[axis].kernel, ", but the filter has ",
                             filter.kernel[static_cast<std::size_t>(axis) - 2]));
  if (filter.scale) operands.check_count("factors of the filter", filter.scale->size(), filter.oc);
}

}  // namespace parconv
