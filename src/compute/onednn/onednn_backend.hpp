// SPDX-License-Identifier: Apache-2.0
// The CPU backend: convolutions by oneDNN, all other kinds by parconv's own kernels.
#pragma once

#include <memory>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// Throws Error(Unavailable) naming the reason if oneDNN has no fast convolutions of `type` on this CPU.
void require_fast_on_cpu(DType type);

/// `threads` is the number of threads per oneDNN convolution. Precondition: threads >= 1.
std::unique_ptr<Backend> make_onednn_backend(int threads);

}  // namespace parconv
