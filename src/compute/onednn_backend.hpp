// The backend for CPUs: oneDNN convolutions, own kernels for everything else.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// Throws Error(Unavailable) naming the reason if oneDNN has no fast convolutions of `type` on this CPU.
void require_fast_on_cpu(DType type);

/// `threads` is how many threads oneDNN uses for a convolution. Precondition: threads >= 1.
std::unique_ptr<Backend> make_onednn_backend(int threads);

}  // namespace parconv
