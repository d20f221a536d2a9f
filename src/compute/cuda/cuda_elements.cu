// SPDX-License-Identifier: Apache-2.0
#include "compute/cuda/cuda_elements.hpp"

#include "compute/cuda/cuda_executor.hpp"
#include "compute/elements/element_kernel.hpp"
#include "cuda/cuda_half.hpp"

namespace parconv {

std::unique_ptr<Kernel> make_cuda_kernel(const LocalOp& op, Device& device) {
  return element::make_element_kernel(op, CudaExecutor(device));
}

}  // namespace parconv
