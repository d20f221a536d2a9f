// SPDX-License-Identifier: Apache-2.0
// Language extensions of CUDA compilers. Included before kernel sources, so that a host compiler accepts them unchanged,
// including the grid-stride loop.
#pragma once

#include <cuda_runtime_api.h>

#include "emulator/cudart/kernels.hpp"

#undef __launch_bounds__
#define __launch_bounds__(...)

namespace parconv::cuda {

// Built-in variables of a device thread; only x is used.
inline thread_local dim3 gridDim{};
inline thread_local dim3 blockDim{};
inline thread_local uint3 blockIdx{};
inline thread_local uint3 threadIdx{};

/// Runs `thread` for every thread of the grid, sequentially.
template <class Thread>
void for_each_thread(const emulator::LaunchGrid& grid, const Thread& thread) {
  gridDim = grid.blocks;
  blockDim = grid.threads;
  for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
    for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x) thread();
}

template <class Function>
__global__ void for_each_kernel(index_t count, const Function function);

template <class Function>
emulator::Work work_of(const emulator::LaunchGrid& grid, void** arguments) {
  const index_t count = *static_cast<const index_t*>(arguments[0]);
  const Function function = *static_cast<const Function*>(arguments[1]);
  return [grid, count, function] { for_each_thread(grid, [&] { for_each_kernel<Function>(count, function); }); };
}

template <class Function>
inline const bool is_known = emulator::add_kernel(typeid(Function), work_of<Function>);

/// Overload found before the runtime's function at kernel launches; instantiating it registers the kernel. Never called:
/// programs launch their own kernels, and the emulator looks up the registered ones.
template <class Function>
cudaError_t cudaLaunchKernel(void (*)(index_t, Function), dim3, dim3, void**, std::size_t, cudaStream_t) {
  static_cast<void>(is_known<Function>);
  return cudaErrorNotSupported;
}

}  // namespace parconv::cuda
