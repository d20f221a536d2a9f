// In place of the header of the same name, where sources for GPUs are compiled for the stand-in: a loop for every type of
// function that they launch.
#pragma once

#include "cuda_stand_in/kernels.hpp"
#include "device/cuda_check.hpp"

namespace parconv::cuda {

template <class Function>
stand_in::Work loop_of(void** arguments) {
  const index_t count = *static_cast<const index_t*>(arguments[0]);
  const Function function = *static_cast<const Function*>(arguments[1]);
  return [count, function] {
    for (index_t k = 0; k < count; ++k) function(k);
  };
}

template <class Function>
inline const bool is_known = stand_in::add_kernel(typeid(Function), loop_of<Function>);

/// Never called: programs launch their own kernels, which find their loops here.
template <class Function>
void for_each(index_t, const Function&, cudaStream_t) {
  static_cast<void>(is_known<Function>);
}

}  // namespace parconv::cuda
