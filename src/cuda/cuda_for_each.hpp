// SPDX-License-Identifier: Apache-2.0
// Parallel for on a GPU. For CUDA compilers, and for tests that compile kernels for the host.
#pragma once

#include <algorithm>

#include "cuda/cuda_check.hpp"
#include "parconv/core/types.hpp"

namespace parconv::cuda {

inline constexpr int threads_per_block = 256;
inline constexpr index_t most_blocks = index_t{1} << 20;

/// Grid-stride loop: calls function(k) once for each k < count, for any grid.
template <class Function>
__global__ void __launch_bounds__(threads_per_block) for_each_kernel(index_t count, const Function function) {
  const index_t step = static_cast<index_t>(gridDim.x) * blockDim.x;
  for (index_t k = static_cast<index_t>(blockIdx.x) * blockDim.x + threadIdx.x; k < count; k += step) function(k);
}

/// Calls function(k) for all k < count. Enqueued on `stream`; consecutive k run in neighbouring threads.
template <class Function>
void for_each(index_t count, const Function& function, cudaStream_t stream) {
  if (count == 0) return;
  const index_t blocks = std::min(ceil_div(count, index_t{threads_per_block}), most_blocks);
  void* arguments[] = {&count, const_cast<Function*>(&function)};
  check(cudaLaunchKernel(for_each_kernel<Function>, dim3(static_cast<unsigned>(blocks)), dim3(threads_per_block), arguments, 0,
                         stream),
        "cudaLaunchKernel");
}

}  // namespace parconv::cuda
