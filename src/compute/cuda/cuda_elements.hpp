// SPDX-License-Identifier: Apache-2.0
// GPU kernels of all kinds but convolutions.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv {

/// Prepares a kernel on the compute stream of the device. Precondition: `device` is a GPU and outlives the kernel. Throws
/// Error(Unavailable) for convolutions and for element types other than f32, f16 and bf16.
std::unique_ptr<Kernel> make_cuda_kernel(const LocalOp& op, Device& device);

}  // namespace parconv
