// SPDX-License-Identifier: Apache-2.0
// Pooling: each output pixel gathers the taps of its window that lie in the operand.
#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "compute/elements/axis_taps.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

/// The taps of every output along one axis, as evenly spaced indices.
struct AxisTaps {
  std::vector<index_t> first{};  ///< the first input of each output
  std::vector<index_t> count{};
  index_t step = 1;  ///< between inputs
};

AxisTaps axis_taps(const WindowAxis& window, index_t outs, index_t in_size) {
  AxisTaps taps{.step = window.dilation};
  for (index_t out = 0; out < outs; ++out) {
    const Interval inside = taps_inside(window, out, in_size);
    taps.first.push_back(out * window.stride - window.pad_lo + inside.lo * window.dilation);
    taps.count.push_back(inside.size());
  }
  return taps;
}

/// The rows under a window.
index_t rows_of(const LocalPool& pool) { return pool.window[Axis::D].kernel * pool.window[Axis::H].kernel; }

class PoolKernel final : public RowKernel {
 public:
  explicit PoolKernel(const LocalOp& op)
      : RowKernel(op, rows_of(std::get<LocalPool>(op.kind))), pool_(std::get<LocalPool>(op.kind)) {
    const OperandLayout& src = op.srcs[main_index(op)];
    for (std::size_t k = 0; k < 3; ++k) {
      const Axis axis = spatial_axes[k];
      along_[k] = axis_taps(pool_.window[axis], op.dst.extents[axis], src.extents[axis]);
      PARCONV_EXPECT(pool_.kind == PoolKind::Max || std::ssize(pool_.divisors[k]) == op.dst.extents[axis], name_of(axis));
    }
    rows_.reserve(static_cast<std::size_t>(rows_of(pool_)));
    taps_.reserve(static_cast<std::size_t>(rows_of(pool_) * pool_.window[Axis::W].kernel));
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    find_rows(main_operand(srcs), row);
    for (index_t w = 0; w < shape().pixels; ++w) {
      find_taps(static_cast<std::size_t>(w));
      make_pixel({dst.data + w * dst.pitch, static_cast<std::size_t>(shape().channels)}, row, w);
    }
  }

  void make_pixel(std::span<float> pixel, const RowIndex& row, index_t w) const {
    if (pool_.kind == PoolKind::Max) return max_taps(pixel, taps_);
    sum_taps(pixel, taps_);
    divide(pixel, divisor(row, w));
  }

  /// Collects the input rows under the windows of an output row.
  void find_rows(const Operand& src, const RowIndex& row) {
    rows_.clear();
    const AxisTaps& ds = along_[0];
    const AxisTaps& hs = along_[1];
    const auto d = static_cast<std::size_t>(row.d), h = static_cast<std::size_t>(row.h);
    for (index_t i = 0; i < ds.count[d]; ++i)
      for (index_t j = 0; j < hs.count[h]; ++j)
        rows_.push_back(src.row({row.n, ds.first[d] + i * ds.step, hs.first[h] + j * hs.step}));
  }

  /// Collects the pixels under one window.
  void find_taps(std::size_t w) {
    taps_.clear();
    const AxisTaps& ws = along_[2];
    for (const ConstRow& row : rows_)
      for (index_t k = 0; k < ws.count[w]; ++k) taps_.push_back(row.data + (ws.first[w] + k * ws.step) * row.pitch);
  }

  float divisor(const RowIndex& row, index_t w) const {
    const auto along = [&](std::size_t axis, index_t out) { return pool_.divisors[axis][static_cast<std::size_t>(out)]; };
    return static_cast<float>(along(0, row.d) * along(1, row.h) * along(2, w));
  }

  LocalPool pool_;
  std::array<AxisTaps, 3> along_{};
  std::vector<ConstRow> rows_{};
  std::vector<const float*> taps_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalPool&, const LocalOp& op) { return std::make_unique<PoolKernel>(op); }

}  // namespace parconv::cpu
