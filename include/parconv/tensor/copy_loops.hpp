// SPDX-License-Identifier: Apache-2.0
// Strided copy between two operands as loops over contiguous runs of bytes.
#pragma once

#include "parconv/geometry/operand_layout.hpp"
#include "parconv/tensor/loops.hpp"

namespace parconv {

/// Loops in bytes. `runs` repeats a run of `run_bytes` that is contiguous in both operands; `outer` encloses it.
struct CopyLoops {
  LoopNest outer;
  Loop runs;
  std::size_t run_bytes = 0;
};

/// The loops of dst = src. Precondition: same extents and types, not empty.
CopyLoops copy_loops(const OperandLayout& src, const OperandLayout& dst);

}  // namespace parconv
