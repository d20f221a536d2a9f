// SPDX-License-Identifier: Apache-2.0
// Threads of one rank for kernels without a filter. The bits of an element do not depend on who computes it.
#pragma once

#include <functional>
#include <memory>

#include "compute/cpu/cpu_row_kernel.hpp"

namespace parconv::cpu {

/// Threads that share the work of a kernel, where that pays.
struct ThreadShare {
  int count = 1;
  index_t least_elems = 32768;  ///< of the result; below, the start of the threads takes longer than the work
};

/// How many of them share `units` of work that make `elems` elements: at most one a unit.
int threads_for(index_t units, index_t elems, const ThreadShare& threads);

/// The units of one of `threads` threads.
Interval part_of_thread(index_t units, int thread, int threads);

/// A kernel whose rows are computed by several threads, each with a kernel of its own made by `make`; or just that kernel.
std::unique_ptr<Kernel> shared_by_threads(const std::function<std::unique_ptr<Kernel>()>& make, const LocalOp& op,
                                          const ThreadShare& threads);

}  // namespace parconv::cpu
