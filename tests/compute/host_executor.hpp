// Runs functions of elements in plain loops, so that what GPUs compute is tested without one.
#pragma once

#include "compute/element_kernel.hpp"
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
