// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/cpu_kernels.hpp"

#include "compute/cpu/cpu_executor.hpp"
#include "compute/elements/element_kinds.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

template <class Kind>
std::unique_ptr<Kernel> make_kernel_of(const Kind& kind, const LocalOp& op, const ThreadShare& threads) {
  if constexpr (requires { cpu::make_threaded_kernel(kind, op, threads); })
    if (auto kernel = cpu::make_threaded_kernel(kind, op, threads)) return kernel;
  if constexpr (KindWithFilter<Kind>)
    fail_expectation("make_cpu_kernel", Kind::name);
  else if constexpr (requires { cpu::make_kernel(kind, op); })
    return cpu::shared_by_threads([&] { return cpu::make_kernel(kind, op); }, op, threads);
  else
    return element::make_element_kernel_of(kind, op, cpu::CpuExecutor{threads});
}

}  // namespace

std::unique_ptr<Kernel> make_cpu_kernel(const LocalOp& op, const ThreadShare& threads) {
  return std::visit([&](const auto& kind) { return make_kernel_of(kind, op, threads); }, op.kind);
}

}  // namespace parconv
