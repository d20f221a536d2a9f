// SPDX-License-Identifier: Apache-2.0
// Threads of one rank for kernels without a filter. The bits of an element do not depend on who computes it.
#pragma once

#include <functional>
#include <memory>

#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/tensor/threads.hpp"

namespace parconv::cpu {

/// A kernel whose rows are computed by several threads, each with a kernel of its own made by `make`; or just that kernel.
std::unique_ptr<Kernel> shared_by_threads(const std::function<std::unique_ptr<Kernel>()>& make, const LocalOp& op,
                                          const ThreadShare& threads);

}  // namespace parconv::cpu
