// Runs a function for many numbers on a GPU. For CUDA compilers only.
#pragma once

#include <algorithm>

#include "device/cuda_check.hpp"
#include "parconv/core/types.hpp"

namespace parconv::cuda {

inline constexpr int threads_per_block = 256;
inline constexpr index_t most_blocks = index_t{1} << 20;

template <class Function>
__global__ void __launch_bounds__(threads_per_block) for_each_kernel(index_t count, const Function function) {
  const index_t step = static_cast<index_t>(gridDim.x) * blockDim.x;
  for (index_t k = static_cast<index_t>(blockIdx.x) * blockDim.x + threadIdx.x; k < count; k += step) function(k);
}

/// Calls function(k) for all k < count, after the work that `stream` was given before. Neighbouring numbers run in neighbouring
/// threads.
template <class Function>
void for_each(index_t count, const Function& function, cudaStream_t stream) {
  if (count == 0) return;
  const index_t blocks = std::min(ceil_div(count, index_t{threads_per_block}), most_blocks);
  for_each_kernel<<<static_cast<unsigned>(blocks), threads_per_block, 0, stream>>>(count, function);
  check(cudaPeekAtLastError(), "a kernel's launch");
}

}  // namespace parconv::cuda
