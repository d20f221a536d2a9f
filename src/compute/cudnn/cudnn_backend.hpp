// SPDX-License-Identifier: Apache-2.0
// The GPU backend: convolutions by cuDNN, all other kinds by parconv's own kernels.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// Precondition: `device` is a GPU and outlives the backend. Throws Error(Unavailable) if cuDNN does not work there.
std::unique_ptr<Backend> make_cudnn_backend(Device& device, const GpuOptions& options);

}  // namespace parconv
