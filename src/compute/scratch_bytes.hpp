// SPDX-License-Identifier: Apache-2.0
// Sizes of buffers that lie one after the other in scratch memory.
#pragma once

#include <cstddef>

#include "parconv/tensor/aligned.hpp"

namespace parconv {

/// `bytes`, rounded up so that a buffer behind it begins at a multiple of memory_alignment.
constexpr std::size_t aligned(std::size_t bytes) { return (bytes + memory_alignment - 1) / memory_alignment * memory_alignment; }

}  // namespace parconv
