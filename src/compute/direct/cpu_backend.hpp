// SPDX-License-Identifier: Apache-2.0
// The default backend on CPUs: parconv's own kernels, with the sums of docs/arithmetic.md.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// `threads` is the number of threads per convolution, `type` the type of activations. Precondition: threads >= 1. Throws
/// Error(Unavailable) unless that is f32, bf16 or f16, and as direct::instruction_set does.
std::unique_ptr<Backend> make_cpu_backend(int threads, DType type = DType::F32);

}  // namespace parconv
