// SPDX-License-Identifier: Apache-2.0
// The transposed convolution in plain loops, in gather form: each output sums its contributing inputs.
#include "compute/reference/reference_filter.hpp"

namespace parconv::reference {
namespace {

class ReferenceDeconv final : public FilterKernel {
 public:
  using FilterKernel::FilterKernel;

 private:
  std::optional<index_t> source_of(const WindowAxis& window, index_t out, index_t tap) const override {
    const index_t place = out + window.pad_lo - tap * window.dilation;
    if (place % window.stride != 0) return std::nullopt;
    return place / window.stride;
  }
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalDeconv& deconv, const LocalOp& op, const FilterReader& read_filter) {
  return std::make_unique<ReferenceDeconv>(deconv, op, read_filter);
}

}  // namespace parconv::reference
