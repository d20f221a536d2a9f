#include "compute/cuda_elements.hpp"

#include "compute/cuda_executor.hpp"
#include "compute/element_kernel.hpp"

namespace parconv {

std::unique_ptr<Kernel> make_cuda_kernel(const LocalOp& op, Device& device) {
  return element::make_element_kernel(op, CudaExecutor(device));
}

}  // namespace parconv
