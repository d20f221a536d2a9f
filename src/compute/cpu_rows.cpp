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
    const OperandLayout& src = op.srcs[main_index(op)];
    for (index_t w = 0; w < src.extents[Axis::W]; ++w) offsets_.push_back(w * src.strides[Axis::W]);
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    sum_at({dst.data, static_cast<std::size_t>(shape().channels)}, main_operand(srcs).row(row).data, offsets_);
  }

  std::vector<index_t> offsets_{};
};

class RowsMeanKernel final : public RowKernel {
 public:
  explicit RowsMeanKernel(const LocalOp& op) : RowKernel(op), count_(std::get<LocalRowsMean>(op.kind).count) {
    expect_one_output(op, {Axis::D, Axis::H, Axis::W});
    PARCONV_EXPECT(count_ >= 1, count_);
    const OperandLayout& src = op.srcs[main_index(op)];
    for (index_t d = 0; d < src.extents[Axis::D]; ++d)
      for (index_t h = 0; h < src.extents[Axis::H]; ++h) offsets_.push_back(d * src.strides[Axis::D] + h * src.strides[Axis::H]);
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const std::span pixel(dst.data, static_cast<std::size_t>(shape().channels));
    sum_at(pixel, main_operand(srcs).at(row.n), offsets_);
    divide(pixel, static_cast<float>(count_));
  }

  index_t count_;
  std::vector<index_t> offsets_{};
};

}  // namespace

std::unique_ptr<Kernel> make_row_sum(const LocalOp& op) { return std::make_unique<RowSumKernel>(op); }
std::unique_ptr<Kernel> make_rows_mean(const LocalOp& op) { return std::make_unique<RowsMeanKernel>(op); }

}  // namespace parconv::cpu
