// SPDX-License-Identifier: Apache-2.0
// Common parts of element calls: sources, strides, checks.
#pragma once

#include <vector>

#include "parconv/model/local_op.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv::element {

/// Indices of the sources except the residual, in order.
std::vector<std::size_t> operand_indices(const LocalOp& op);

/// The first source that is not the residual. Precondition: there is one.
const OperandLayout& main_source(const LocalOp& op);

/// A source broadcast to dst's extents along axes of extent 1.
ConstElements repeated(const OperandLayout& src, const Extents& dst);

/// Checks the extents of the residual and the bias, channel stride 1 and element types. Throws Bug or Error(Unavailable).
void check_call(const LocalOp& op);

}  // namespace parconv::element
