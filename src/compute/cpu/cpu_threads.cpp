// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/cpu_threads.hpp"

#include <utility>

namespace parconv::cpu {
namespace {

class ThreadedRows final : public Kernel {
 public:
  /// Precondition: all are RowKernels of one call.
  explicit ThreadedRows(std::vector<std::unique_ptr<Kernel>> kernels) : kernels_(std::move(kernels)) {
    for (const auto& kernel : kernels_) by_row_.push_back(static_cast<RowKernel*>(kernel.get()));
  }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    const int threads = static_cast<int>(by_row_.size());
    by_row_.front()->begin(srcs, scratch);
    const auto work = [&](int thread) {
      RowKernel& kernel = *by_row_[static_cast<std::size_t>(thread)];
      kernel.execute_rows(srcs, dst, scratch, equal_part(kernel.num_rows(), thread, threads));
    };
    on_threads(threads, std::cref(work));
  }

  std::size_t scratch_bytes() const override { return kernels_.front()->scratch_bytes(); }
  std::size_t resident_bytes() const override {
    std::size_t bytes = 0;
    for (const auto& kernel : kernels_) bytes += kernel->resident_bytes();
    return bytes;
  }
  std::string implementation() const override { return kernels_.front()->implementation(); }

 private:
  std::vector<std::unique_ptr<Kernel>> kernels_;
  std::vector<RowKernel*> by_row_{};
};

}  // namespace

std::unique_ptr<Kernel> shared_by_threads(const std::function<std::unique_ptr<Kernel>()>& make, const LocalOp& op,
                                          const ThreadShare& threads) {
  std::unique_ptr<Kernel> first = make();
  const auto* const by_row = dynamic_cast<const RowKernel*>(first.get());
  const int used = by_row == nullptr ? 1 : threads_for(by_row->num_rows(), volume(op.dst.extents), threads);
  if (used == 1) return first;
  std::vector<std::unique_ptr<Kernel>> kernels;
  kernels.push_back(std::move(first));
  while (std::ssize(kernels) < used) kernels.push_back(make());
  return std::make_unique<ThreadedRows>(std::move(kernels));
}

}  // namespace parconv::cpu
