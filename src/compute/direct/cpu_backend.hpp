// SPDX-License-Identifier: Apache-2.0
// The default backend on CPUs: parconv's own kernels, with the sums of docs/arithmetic.md.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// `threads` is the number of threads per convolution. Precondition: threads >= 1. Throws as direct::instruction_set does.
std::unique_ptr<Backend> make_cpu_backend(int threads);

}  // namespace parconv
