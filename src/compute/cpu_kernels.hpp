// Kernels of everything but convolutions, for CPUs. They take any strides with channels side by side.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// Precondition: op is neither a LocalConv nor a LocalDeconv; all operands are f32 or bf16 with channel stride 1.
std::unique_ptr<Kernel> make_cpu_kernel(const LocalOp& op);

namespace cpu {

// One maker per kind, or for kinds that share loops.
std::unique_ptr<Kernel> make_pool(const LocalOp& op);
std::unique_ptr<Kernel> make_fill(const LocalOp& op);
std::unique_ptr<Kernel> make_copy(const LocalOp& op);
std::unique_ptr<Kernel> make_scale_shift(const LocalOp& op);
std::unique_ptr<Kernel> make_sum(const LocalOp& op);
std::unique_ptr<Kernel> make_binary(const LocalOp& op);
std::unique_ptr<Kernel> make_row_sum(const LocalOp& op);
std::unique_ptr<Kernel> make_reduce(const LocalOp& op);
std::unique_ptr<Kernel> make_lrn(const LocalOp& op);
std::unique_ptr<Kernel> make_matmul(const LocalOp& op);
std::unique_ptr<Kernel> make_softmax(const LocalOp& op);
std::unique_ptr<Kernel> make_reshape(const LocalOp& op);
std::unique_ptr<Kernel> make_resample(const LocalOp& op);
std::unique_ptr<Kernel> make_rearrange(const LocalOp& op);

}  // namespace cpu
}  // namespace parconv
