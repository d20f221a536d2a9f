// SPDX-License-Identifier: Apache-2.0
// Runs element functions in plain loops.
#pragma once

#include <span>

#include "parconv/core/types.hpp"
#include "parconv/tensor/aligned.hpp"

namespace parconv::cpu {

/// An executor of element kernels on the calling thread.
struct CpuExecutor {
  static constexpr const char* name = "cpu";
  using Memory = AlignedBytes;

  Memory upload(std::span<const std::byte> bytes) const { return {bytes.begin(), bytes.end()}; }

  template <class Function>
  void for_each(index_t count, const Function& function) const {
    for (index_t k = 0; k < count; ++k) function(k);
  }
};

}  // namespace parconv::cpu
