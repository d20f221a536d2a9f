// Pooling: each output pixel gathers the taps of its window that lie in the operand.
#include "compute/axis_taps.hpp"
#include "compute/cpu_kernels.hpp"
#include "compute/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

/// The taps of every output along one axis, as consecutive offsets in elements.
struct AxisTaps {
  std::vector<index_t> first{};  ///< offset of the first tap of each output
  std::vector<index_t> count{};
  index_t step = 0;  ///< from tap to tap
};

AxisTaps axis_taps(const WindowAxis& window, index_t outs, index_t in_size, index_t stride) {
  AxisTaps taps{.step = window.dilation * stride};
  for (index_t out = 0; out < outs; ++out) {
    const Interval inside = taps_inside(window, out, in_size);
    taps.first.push_back((out * window.stride - window.pad_lo + inside.lo * window.dilation) * stride);
    taps.count.push_back(inside.size());
  }
  return taps;
}

class PoolKernel final : public RowKernel {
 public:
  explicit PoolKernel(const LocalOp& op) : RowKernel(op), pool_(std::get<LocalPool>(op.kind)) {
    const OperandLayout& src = op.srcs[main_index(op)];
    std::size_t taps = 1;
    for (std::size_t k = 0; k < 3; ++k) {
      const Axis axis = spatial_axes[k];
      taps_[k] = axis_taps(pool_.window[axis], op.dst.extents[axis], src.extents[axis], src.strides[axis]);
      taps *= static_cast<std::size_t>(pool_.window[axis].kernel);
      PARCONV_EXPECT(pool_.kind == PoolKind::Max || std::ssize(pool_.divisors[k]) == op.dst.extents[axis], name_of(axis));
    }
    row_offsets_.reserve(taps);
    offsets_.reserve(taps);
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const float* const sample = main_operand(srcs).at(row.n);
    find_row_offsets(row);
    for (index_t w = 0; w < shape().pixels; ++w) {
      find_offsets(static_cast<std::size_t>(w));
      make_pixel(sample, {dst.data + w * dst.pitch, static_cast<std::size_t>(shape().channels)}, row, w);
    }
  }

  void make_pixel(const float* sample, std::span<float> pixel, const RowIndex& row, index_t w) const {
    if (pool_.kind == PoolKind::Max) return max_at(pixel, sample, offsets_);
    sum_at(pixel, sample, offsets_);
    divide(pixel, divisor(row, w));
  }

  /// Where the rows that a window meets begin in their sample.
  void find_row_offsets(const RowIndex& row) {
    row_offsets_.clear();
    const AxisTaps& ds = taps_[0];
    const AxisTaps& hs = taps_[1];
    const auto d = static_cast<std::size_t>(row.d), h = static_cast<std::size_t>(row.h);
    for (index_t i = 0; i < ds.count[d]; ++i)
      for (index_t j = 0; j < hs.count[h]; ++j) row_offsets_.push_back(ds.first[d] + i * ds.step + hs.first[h] + j * hs.step);
  }

  /// Where the taps of one output are in their sample.
  void find_offsets(std::size_t w) {
    offsets_.clear();
    const AxisTaps& ws = taps_[2];
    for (const index_t row : row_offsets_)
      for (index_t k = 0; k < ws.count[w]; ++k) offsets_.push_back(row + ws.first[w] + k * ws.step);
  }

  float divisor(const RowIndex& row, index_t w) const {
    const auto along = [&](std::size_t axis, index_t out) { return pool_.divisors[axis][static_cast<std::size_t>(out)]; };
    return static_cast<float>(along(0, row.d) * along(1, row.h) * along(2, w));
  }

  LocalPool pool_;
  std::array<AxisTaps, 3> taps_{};
  std::vector<index_t> row_offsets_{};
  std::vector<index_t> offsets_{};
};

}  // namespace

std::unique_ptr<Kernel> make_pool(const LocalOp& op) { return std::make_unique<PoolKernel>(op); }

}  // namespace parconv::cpu
