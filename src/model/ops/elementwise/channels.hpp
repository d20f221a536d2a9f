// SPDX-License-Identifier: Apache-2.0
// Channel groups of operators with a filter: the inputs of each output.
#pragma once

#include <vector>

#include "model/ops/rules.hpp"

namespace parconv {

/// The leaves of the sums of a layer with this filter.
inline SumLeaves leaves_of(const Filter& filter, LeafRule rule) {
  return leaves_of(filter.ic_per_group, filter.kernel[0] * filter.kernel[1] * filter.kernel[2], rule);
}

/// The groups of an operator with `groups` and a `filter`.
template <class Op>
ChannelGroups groups_of(const Op& op) {
  return {.groups = op.groups,
          .oc = op.filter.oc / op.groups,
          .ic = op.filter.ic_per_group,
          .leaves = leaves_of(op.filter, op.leaf_rule),
          .rule = op.leaf_rule};
}

/// Input channels of the groups that output channels `oc` belong to.
/// Example: 8 outputs and 4 inputs in 2 groups: outputs [3, 4) belong to group 0 and need inputs [0, 2).
Interval group_inputs(const ChannelGroups& channels, Interval oc);

/// Channel blocks for output channels `oc` and input channels `ic`: a head that is part of a group, whole groups, a tail. Taps
/// are not set.
std::vector<ChannelBlock> channel_blocks(const ChannelGroups& channels, Interval oc, Interval ic);

/// Refuses a filter that does not fit the groups, the input's channels or the window.
void check_filter(const Filter& filter, index_t groups, const Window& window, const OperandShapes& operands);

}  // namespace parconv
