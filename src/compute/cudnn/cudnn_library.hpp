// SPDX-License-Identifier: Apache-2.0
// Convolutions by cuDNN on one GPU, with parconv's own kernels around them.
#pragma once

#include <memory>

#include "compute/conv/conv_library.hpp"

namespace parconv {

/// Creates a library on the device's compute stream. Precondition: `device` is a GPU, current in the calling thread, and
/// outlives the library and its kernels. Throws Error(Unavailable) if cuDNN does not work there.
std::unique_ptr<ConvLibrary> make_cudnn_library(Device& device, const GpuOptions& options);

}  // namespace parconv
