// SPDX-License-Identifier: Apache-2.0
#include "cuda/cuda_check.hpp"

#include "parconv/core/error.hpp"

namespace parconv::cuda {

void check(cudaError_t status, const char* call, std::source_location where) {
  if (status == cudaSuccess) return;
  const std::string text = concat(call, " failed: ", cudaGetErrorString(status), " (", cudaGetErrorName(status), ", ",
                                  where.file_name(), ":", where.line(), ")");
  if (status == cudaErrorMemoryAllocation)
    throw Error(ExitCode::OutOfMemory, text, "Use more ranks, smaller micro-batches (--micro-batch), or a GPU with more memory.");
  throw Error(ExitCode::Unavailable, text, "Check nvidia-smi and the kernel log, or use --device cpu.");
}

}  // namespace parconv::cuda
