// SPDX-License-Identifier: Apache-2.0
// CUDA runtime errors as exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <source_location>

namespace parconv::cuda {

/// Throws Error(OutOfMemory) if an allocation failed and Error(Unavailable) for any other failure of `call`.
void check(cudaError_t status, const char* call, std::source_location where = std::source_location::current());

}  // namespace parconv::cuda
