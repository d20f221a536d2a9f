// SPDX-License-Identifier: Apache-2.0
// Runs element functions in plain loops.
#pragma once

#include <functional>
#include <span>

#include "compute/cpu/cpu_threads.hpp"
#include "parconv/core/types.hpp"
#include "parconv/tensor/aligned.hpp"

namespace parconv::cpu {

/// An executor of element kernels on the threads of a rank.
struct CpuExecutor {
  static constexpr const char* name = "cpu";
  using Memory = AlignedBytes;

  ThreadShare threads{};

  Memory upload(std::span<const std::byte> bytes) const { return {bytes.begin(), bytes.end()}; }

  template <class Function>
  void for_each(index_t count, const Function& function) const {
    const int used = threads_for(count, count, threads);
    const auto work = [&](int thread) {
      const Interval own = equal_part(count, thread, used);
      for (index_t k = own.lo; k < own.hi; ++k) function(k);
    };
    on_threads(used, std::cref(work));
  }
};

}  // namespace parconv::cpu
