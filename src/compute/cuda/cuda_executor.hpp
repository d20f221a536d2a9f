// SPDX-License-Identifier: Apache-2.0
// Functions of elements on a GPU. For CUDA compilers only.
#pragma once

#include "cuda/cuda_for_each.hpp"
#include "parconv/device/device.hpp"

namespace parconv {

/// An executor of element kernels on a device's compute stream.
class CudaExecutor {
 public:
  static constexpr const char* name = "cuda";
  using Memory = DeviceBytes;

  explicit CudaExecutor(Device& device) : device_(&device) {}

  Memory upload(std::span<const std::byte> bytes) const {
    Memory memory = device_->allocate(bytes.size());
    cuda::check(cudaMemcpyAsync(memory.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice, stream()), "cudaMemcpyAsync");
    cuda::check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
    return memory;
  }

  template <class Function>
  void for_each(index_t count, const Function& function) const {
    cuda::for_each(count, function, stream());
  }

 private:
  cudaStream_t stream() const { return static_cast<cudaStream_t>(device_->native_stream(DeviceStream::Compute)); }

  Device* device_;
};

}  // namespace parconv
