// SPDX-License-Identifier: Apache-2.0
// The convolution in plain loops.
#include "compute/reference/reference_filter.hpp"

namespace parconv::reference {
namespace {

class ReferenceConv final : public FilterKernel {
 public:
  using FilterKernel::FilterKernel;

 private:
  std::optional<index_t> source_of(const WindowAxis& window, index_t out, index_t tap) const override {
    return out * window.stride - window.pad_lo + tap * window.dilation;
  }
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalConv& conv, const LocalOp& op, const FilterReader& read_filter) {
  return std::make_unique<ReferenceConv>(conv, op, read_filter);
}

}  // namespace parconv::reference
