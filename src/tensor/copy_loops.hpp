// A copy between two strided operands as loops over runs of bytes.
#pragma once

#include "parconv/model/local_op.hpp"
#include "tensor/loops.hpp"

namespace parconv {

/// Loops in bytes; `runs` repeats a run of `run_bytes` that lies side by side in both operands, `outer` is around it.
struct CopyLoops {
  LoopNest outer;
  Loop runs;
  std::size_t run_bytes = 0;
};

/// Precondition: same extents and types, not empty.
CopyLoops copy_loops(const OperandLayout& src, const OperandLayout& dst);

}  // namespace parconv
