// SPDX-License-Identifier: Apache-2.0
// Row sums, and sum, product, maximum and minimum over any axes. The order of additions is fixed.
#include <algorithm>

#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

class RowSumKernel final : public RowKernel {
 public:
  explicit RowSumKernel(const LocalOp& op) : RowKernel(op) {
    PARCONV_EXPECT(op.dst.extents[Axis::W] == 1, op.dst.extents);
    taps_.resize(static_cast<std::size_t>(op.srcs[main_index(op)].extents[Axis::W]));
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const ConstRow src = main_operand(srcs).row(row);
    for (std::size_t w = 0; w < taps_.size(); ++w) taps_[w] = src.data + static_cast<index_t>(w) * src.pitch;
    sum_taps({dst.data, static_cast<std::size_t>(shape().channels)}, taps_);
  }

  std::vector<const float*> taps_{};
};

/// The number of elements reduced along an axis: all of them if it is marked.
index_t group_extent(const LocalOp& op, std::size_t source, Axis axis) {
  return std::get<LocalReduce>(op.kind).axes[static_cast<std::size_t>(axis)] ? op.srcs[source].extents[axis] : 1;
}

class ReduceKernel final : public RowKernel {
 public:
  explicit ReduceKernel(const LocalOp& op) : RowKernel(op, rows_of(op)), reduce_(std::get<LocalReduce>(op.kind)) {
    const Extents& src = op.srcs[main_index(op)].extents;
    for (Axis axis : all_axes)
      PARCONV_EXPECT(op.dst.extents[axis] == (is_marked(axis) ? 1 : src[axis]), src, " to ", op.dst.extents);
    PARCONV_EXPECT(reduce_.count >= 1, reduce_.count);
    rows_.reserve(static_cast<std::size_t>(rows_of(op)));
    taps_.reserve(static_cast<std::size_t>(rows_of(op) * group_extent(op, main_index(op), Axis::W)));
    if (is_marked(Axis::C)) joined_.resize(taps_.capacity() * static_cast<std::size_t>(src[Axis::C]));
  }

  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + rows_.capacity() * sizeof(ConstRow) + taps_.capacity() * sizeof(float*) +
           joined_.size() * sizeof(float);
  }

 private:
  static index_t rows_of(const LocalOp& op) {
    const auto along = [&](Axis axis) { return group_extent(op, main_index(op), axis); };
    return along(Axis::N) * along(Axis::D) * along(Axis::H);
  }

  bool is_marked(Axis axis) const { return reduce_.axes[static_cast<std::size_t>(axis)]; }
  index_t extent(Axis axis) const { return group_extent(op(), main_index(op()), axis); }

  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    find_rows(main_operand(srcs), row);
    for (index_t w = 0; w < shape().pixels; ++w) {
      const std::span pixel(dst.data + w * dst.pitch, static_cast<std::size_t>(shape().channels));
      find_taps(w);
      make_pixel(pixel);
      if (reduce_.count != 1) divide(pixel, static_cast<float>(reduce_.count));
    }
  }

  /// Collects the source rows that are reduced into an output row.
  void find_rows(const Operand& src, const RowIndex& row) {
    rows_.clear();
    for (index_t n = 0; n < extent(Axis::N); ++n)
      for (index_t d = 0; d < extent(Axis::D); ++d)
        for (index_t h = 0; h < extent(Axis::H); ++h) rows_.push_back(src.row({row.n + n, row.d + d, row.h + h}));
  }

  void find_taps(index_t w) {
    taps_.clear();
    for (const ConstRow& row : rows_)
      for (index_t k = 0; k < extent(Axis::W); ++k) taps_.push_back(row.data + (w + k) * row.pitch);
  }

  void make_pixel(std::span<float> pixel) {
    if (!is_marked(Axis::C)) return join_taps(reduce_.kind, pixel, taps_);
    auto next = joined_.begin();
    for (const float* const tap : taps_) next = std::copy_n(tap, extent(Axis::C), next);
    pixel.front() = join(reduce_.kind, joined_);
  }

  LocalReduce reduce_;
  std::vector<ConstRow> rows_{};
  std::vector<const float*> taps_{};
  std::vector<float> joined_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalRowSum&, const LocalOp& op) { return std::make_unique<RowSumKernel>(op); }
std::unique_ptr<Kernel> make_kernel(const LocalReduce&, const LocalOp& op) { return std::make_unique<ReduceKernel>(op); }

}  // namespace parconv::cpu
