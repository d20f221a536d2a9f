// SPDX-License-Identifier: Apache-2.0
// Which source an operator of one operand computes on.
#pragma once

#include <cstddef>

#include "parconv/model/local_op.hpp"

namespace parconv {

/// The index, in op.srcs, of the first source that is not the residual.
inline std::size_t main_index(const LocalOp& op) { return op.epilogue.residual == 0 ? 1 : 0; }

}  // namespace parconv
