// SPDX-License-Identifier: Apache-2.0
// CPU kernels of all kinds but convolutions. They accept any strides with channel stride 1.
#pragma once

#include <memory>

#include "compute/cpu/cpu_threads.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv {

/// Precondition: op.kind has no filter; all operands are f32, bf16, f16 or accumulators with channel stride 1.
std::unique_ptr<Kernel> make_cpu_kernel(const LocalOp& op, const ThreadShare& threads = {});

namespace cpu {

// Kernels optimised for CPUs. A kind without one uses its element function, as on GPUs.
std::unique_ptr<Kernel> make_kernel(const LocalPool& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalFill& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalCopy& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalScaleShift& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalSum& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalBinary& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalReduce& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalReduceParts& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalLrn& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalMatMul& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalSoftmax& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalReshape& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalResample& kind, const LocalOp& op);
std::unique_ptr<Kernel> make_kernel(const LocalRearrange& kind, const LocalOp& op);

/// A reduction to fewer rows than there are threads, which divide its source; null if that does not pay.
std::unique_ptr<Kernel> make_threaded_kernel(const LocalReduce& kind, const LocalOp& op, const ThreadShare& threads);

}  // namespace cpu
}  // namespace parconv
