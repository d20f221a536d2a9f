// SPDX-License-Identifier: Apache-2.0
// Local response normalisation: sums of squares over neighbouring channels.
#include <algorithm>

#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/formulas/power.hpp"

namespace parconv::cpu {
namespace {

class LrnKernel final : public RowKernel {
 public:
  explicit LrnKernel(const LocalOp& op) : RowKernel(op), local_(std::get<LocalLrn>(op.kind)) {
    channels_ = op.srcs[main_index(op)].extents[Axis::C];
    PARCONV_EXPECT(local_.own >= 0 && local_.own + shape().channels <= channels_, local_.own, " of ", channels_);
    sums_.resize(static_cast<std::size_t>(shape().channels));
  }

  std::size_t resident_bytes() const override { return RowKernel::resident_bytes() + sums_.size() * sizeof(float); }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const ConstRow src = main_operand(srcs).row(row);
    for (index_t w = 0; w < shape().pixels; ++w) make_pixel(src.data + w * src.pitch, dst.data + w * dst.pitch);
  }

  void make_pixel(const float* src, float* dst) {
    sum_squares(src);
    const Lrn& lrn = local_.lrn;
    const float factor = lrn.alpha / static_cast<float>(lrn.size);
    for (std::size_t c = 0; c < sums_.size(); ++c)
      dst[c] = src[local_.own + static_cast<index_t>(c)] / lrn_power(lrn.bias + factor * sums_[c], lrn.beta);
  }

  /// Adds one neighbour at a time, for all channels that have it.
  void sum_squares(const float* src) {
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    const index_t size = local_.lrn.size, own = local_.own;
    for (index_t k = std::max(-(size - 1) / 2, -channels_); k <= std::min(size / 2, channels_); ++k) {
      const Interval outputs = intersect(Interval{-own - k, channels_ - own - k}, Interval{0, shape().channels});
      for (index_t c = outputs.lo; c < outputs.hi; ++c) {
        const float neighbour = src[own + c + k];
        sums_[static_cast<std::size_t>(c)] += neighbour * neighbour;
      }
    }
  }

  LocalLrn local_;
  index_t channels_ = 0;  ///< of the source
  std::vector<float> sums_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalLrn&, const LocalOp& op) { return std::make_unique<LrnKernel>(op); }

}  // namespace parconv::cpu
