// The backend for CPUs: oneDNN convolutions, own kernels for everything else.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// `threads` is how many threads oneDNN uses for a convolution. Precondition: threads >= 1.
std::unique_ptr<Backend> make_onednn_backend(int threads);

}  // namespace parconv
