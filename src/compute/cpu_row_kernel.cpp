#include "compute/cpu_row_kernel.hpp"

#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

index_t offset_of(const OperandLayout& layout, index_t n, index_t d, index_t h, index_t w) {
  return n * layout.strides[Axis::N] + d * layout.strides[Axis::D] + h * layout.strides[Axis::H] + w * layout.strides[Axis::W];
}

}  // namespace

const float* Operand::at(index_t n, index_t d, index_t h, index_t w) const { return data_ + offset_of(*layout_, n, d, h, w); }

ConstRow Operand::row(const RowIndex& at_row) const { return {at(at_row.n, at_row.d, at_row.h), layout_->strides[Axis::W]}; }

RowKernel::RowKernel(const LocalOp& op) : op_(op) {
  const std::size_t channels = static_cast<std::size_t>(op.dst.extents[Axis::C]);
  PARCONV_EXPECT(op.finish.bias.empty() || op.finish.bias.size() == channels, op.finish.bias.size(), " != ", channels);
  PARCONV_EXPECT(op.finish.residual < static_cast<int>(op.srcs.size()), "residual ", op.finish.residual);
  if (op.finish.residual < 0) return;
  const OperandLayout& residual = op.srcs[static_cast<std::size_t>(op.finish.residual)];
  PARCONV_EXPECT(residual.extents == op.dst.extents, residual.extents, " != ", op.dst.extents);
  unfinished_.resize(channels * static_cast<std::size_t>(op.dst.extents[Axis::W]));
}

void RowKernel::execute(Sources srcs, std::byte* dst, std::byte* scratch) {
  begin(srcs, scratch);
  float* const first = reinterpret_cast<float*>(dst);
  const Extents& extents = op_.dst.extents;
  for (index_t n = 0; n < extents[Axis::N]; ++n)
    for (index_t d = 0; d < extents[Axis::D]; ++d)
      for (index_t h = 0; h < extents[Axis::H]; ++h)
        execute_row(srcs, {n, d, h}, {first + offset_of(op_.dst, n, d, h, 0), op_.dst.strides[Axis::W]});
}

void RowKernel::execute_row(Sources srcs, const RowIndex& row, Row dst) {
  const LocalFinish& finish = op_.finish;
  const bool has_residual = finish.residual >= 0;
  const Row made = has_residual ? Row{unfinished_.data(), shape().channels} : dst;
  make_row(srcs, row, made);
  if (!finish.bias.empty()) add_bias_to_row(made, finish.bias, shape().pixels);
  if (has_residual) add_rows(dst, made, operand(srcs, static_cast<std::size_t>(finish.residual)).row(row), shape());
  activate_row(dst, shape(), finish.activation);
}

std::size_t RowKernel::resident_bytes() const { return (unfinished_.size() + op_.finish.bias.size()) * sizeof(float); }

}  // namespace parconv::cpu
