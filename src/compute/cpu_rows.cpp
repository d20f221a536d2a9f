// The two halves of a mean over space: sums along each row, then over the rows. The order of additions is fixed.
#include "compute/cpu_kernels.hpp"
#include "compute/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

void expect_one_output(const LocalOp& op, std::initializer_list<Axis> axes) {
  for (Axis axis : axes) PARCONV_EXPECT(op.dst.extents[axis] == 1, name_of(axis), " of ", op.dst.extents);
}

class RowSumKernel final : public RowKernel {
 public:
  explicit RowSumKernel(const LocalOp& op) : RowKernel(op) {
    expect_one_output(op, {Axis::W});
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

class RowsMeanKernel final : public RowKernel {
 public:
  explicit RowsMeanKernel(const LocalOp& op) : RowKernel(op, rows_of(op)), count_(std::get<LocalRowsMean>(op.kind).count) {
    expect_one_output(op, {Axis::D, Axis::H, Axis::W});
    PARCONV_EXPECT(count_ >= 1, count_);
    taps_.reserve(static_cast<std::size_t>(rows_of(op)));
  }

 private:
  static index_t rows_of(const LocalOp& op) {
    const Extents& src = op.srcs[main_index(op)].extents;
    return src[Axis::D] * src[Axis::H];
  }

  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const Operand src = main_operand(srcs);
    const Extents& extents = src.layout().extents;
    taps_.clear();
    for (index_t d = 0; d < extents[Axis::D]; ++d)
      for (index_t h = 0; h < extents[Axis::H]; ++h) taps_.push_back(src.row({row.n, d, h}).data);
    const std::span pixel(dst.data, static_cast<std::size_t>(shape().channels));
    sum_taps(pixel, taps_);
    divide(pixel, static_cast<float>(count_));
  }

  index_t count_;
  std::vector<const float*> taps_{};
};

}  // namespace

std::unique_ptr<Kernel> make_row_sum(const LocalOp& op) { return std::make_unique<RowSumKernel>(op); }
std::unique_ptr<Kernel> make_rows_mean(const LocalOp& op) { return std::make_unique<RowsMeanKernel>(op); }

}  // namespace parconv::cpu
