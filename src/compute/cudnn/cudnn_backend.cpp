// SPDX-License-Identifier: Apache-2.0
#include "compute/cudnn/cudnn_backend.hpp"

#include "compute/cuda/cuda_elements.hpp"
#include "compute/cudnn/cudnn_library.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

class CudnnBackend final : public Backend {
 public:
  CudnnBackend(Device& device, const GpuOptions& options) : device_(device), library_(make_cudnn_library(device, options)) {}

  std::string name() const override { return "cudnn"; }
  /// cuDNN's speed on other strides has not been measured.
  MemoryRules memory_rules() const override { return {.needs_dense = true}; }

  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    if (std::holds_alternative<LocalConv>(op.kind)) return make_strided_conv(op, read_filter, *library_);
    if (std::holds_alternative<LocalDeconv>(op.kind)) return make_strided_deconv(op, read_filter, *library_);
    return make_cuda_kernel(op, device_);
  }

 private:
  Device& device_;
  std::unique_ptr<ConvLibrary> library_;
};

}  // namespace

std::unique_ptr<Backend> make_cudnn_backend(Device& device, const GpuOptions& options) {
  PARCONV_EXPECT(device.platform() == DevicePlatform::Cuda, "cuDNN on ", device.name());
  return std::make_unique<CudnnBackend>(device, options);
}

}  // namespace parconv
