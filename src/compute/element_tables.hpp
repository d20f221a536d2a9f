// What functions of elements need to know about a call, worked out once: strides and tables.
#pragma once

#include <vector>

#include "compute/element_kinds.hpp"

namespace parconv::element {

/// Indices of the sources that are not the residual, in order.
std::vector<std::size_t> operand_indices(const LocalOp& op);

/// A source of dst's extents; one of extent 1 is repeated along that axis.
ConstElements repeated(const OperandLayout& src, const Extents& dst);

/// The taps of every output along one axis. Precondition: an average has a divisor for each.
std::vector<PoolTaps> pool_taps(const LocalOp& op, Axis axis);

/// Empty if the channels are taken as they are.
std::vector<AxisTap> channel_taps(const LocalResample& resample);

/// The digits of the output's indices along one axis, in elements of the source.
std::vector<StepDigit> step_digits(const LocalOp& op, Axis axis);
/// Where index 0 of the whole source of a LocalRearrange would be, in elements from the operand's first.
index_t rearranged_origin(const LocalOp& op);

/// The groups of a softmax, and the extents of the group numbers.
SoftmaxGroups softmax_groups(const LocalOp& op);
Extents softmax_group_counts(const LocalOp& op);

/// Checks what all kinds rely on: extents of the residual and the bias, channels side by side, element types. Throws Bug or
/// Error(Unavailable).
void check_call(const LocalOp& op);

}  // namespace parconv::element
