// Convolutions by cuDNN, and what is around them by parconv's own kernels, on one GPU.
#pragma once

#include <memory>

#include "compute/conv_library.hpp"

namespace parconv {

/// A library on the device's compute lane. Precondition: `device` is a GPU, current in the calling thread, and outlives the
/// library and its kernels. Throws Error(Unavailable) if cuDNN does not work there.
std::unique_ptr<ConvLibrary> make_cudnn_library(Device& device, const GpuOptions& options);

}  // namespace parconv
