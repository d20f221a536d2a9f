// Kernels of everything but convolutions, for GPUs.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// Prepares a kernel on the device's compute lane. Precondition: `device` is a GPU and outlives the kernel. Throws
/// Error(Unavailable) for convolutions and for element types other than f32, f16 and bf16.
std::unique_ptr<Kernel> make_cuda_kernel(const LocalOp& op, Device& device);

}  // namespace parconv
