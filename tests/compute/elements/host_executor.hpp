// SPDX-License-Identifier: Apache-2.0
// Runs element functions in plain loops, so that GPU kernels are tested without a GPU.
#pragma once

#include "compute/elements/element_kernel.hpp"
#include "parconv/tensor/aligned.hpp"

namespace parconv::test {

struct HostExecutor {
  static constexpr const char* name = "host";
  using Memory = AlignedBytes;

  Memory upload(std::span<const std::byte> bytes) const { return {bytes.begin(), bytes.end()}; }

  template <class Function>
  void for_each(index_t count, const Function& function) const {
    for (index_t k = 0; k < count; ++k) function(k);
  }
};

}  // namespace parconv::test
