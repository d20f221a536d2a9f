// Errors of the CUDA runtime as exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <source_location>

namespace parconv::cuda {

/// Throws Error(OutOfMemory) for memory that cannot be had and Error(Unavailable) for every other failure of `call`.
void check(cudaError_t status, const char* call, std::source_location where = std::source_location::current());

}  // namespace parconv::cuda
