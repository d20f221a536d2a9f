// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/cpu_row_kernel.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv::cpu {
namespace {

/// The byte offset of a row from the operand's first element.
index_t offset_of(const OperandLayout& layout, const RowIndex& row) {
  const Extents& strides = layout.strides;
  return (row.n * strides[Axis::N] + row.d * strides[Axis::D] + row.h * strides[Axis::H]) *
         static_cast<index_t>(size_of(layout.type));
}

OperandLayout row_of(const OperandLayout& layout) {
  OperandLayout row = layout;
  row.extents[Axis::N] = row.extents[Axis::D] = row.extents[Axis::H] = 1;
  return row;
}

OperandLayout dense_floats(const Extents& extents) { return layout_within(Box::whole(extents), Box::whole(extents)); }

View view_of(float* row, const Extents& extents) { return {reinterpret_cast<std::byte*>(row), dense_floats(extents)}; }

}  // namespace

ConvertedRows::ConvertedRows(const OperandLayout& layout, index_t count) {
  if (layout.type == DType::F32 || layout.type == DType::Accumulator) return;
  row_elems_ = layout.extents[Axis::W] * layout.extents[Axis::C];
  slots_.resize(static_cast<std::size_t>(count));
  memory_.resize(static_cast<std::size_t>(count * row_elems_));
}

ConstRow ConvertedRows::get(const std::byte* data, const OperandLayout& layout, const RowIndex& index) {
  const auto is_kept = [&](const Slot& slot) { return slot.last_use >= 0 && slot.index == index; };
  auto slot = std::find_if(slots_.begin(), slots_.end(), is_kept);
  const bool is_new = slot == slots_.end();
  if (is_new) slot = std::min_element(slots_.begin(), slots_.end(), [](auto& a, auto& b) { return a.last_use < b.last_use; });
  float* const memory = memory_.data() + (slot - slots_.begin()) * row_elems_;
  const OperandLayout row = row_of(layout);
  if (is_new) convert({data + offset_of(layout, index), row}, view_of(memory, row.extents));
  *slot = {index, num_uses_++};
  return {memory, layout.extents[Axis::C]};
}

void ConvertedRows::forget() {
  for (Slot& slot : slots_) slot.last_use = -1;
}

ConstRow Operand::row(const RowIndex& at_row) const {
  if (layout_->type != DType::F32) return rows_->get(data_, *layout_, at_row);
  return {reinterpret_cast<const float*>(data_ + offset_of(*layout_, at_row)), layout_->strides[Axis::W]};
}

float Operand::value(const Extents& at) const {
  const ConstElements elements = elements_of(*layout_, data_);
  return load_one(elements, elements.offset(element_index(at)));
}

const ExactSum* Operand::sums(const RowIndex& at_row) const {
  PARCONV_EXPECT(layout_->type == DType::Accumulator, name_of(layout_->type));
  return reinterpret_cast<const ExactSum*>(data_ + offset_of(*layout_, at_row));
}

RowKernel::RowKernel(const LocalOp& op, index_t rows_at_once) : op_(op) {
  const std::size_t channels = static_cast<std::size_t>(op.dst.extents[Axis::C]);
  PARCONV_EXPECT(op.epilogue.bias.empty() || op.epilogue.bias.size() == channels, op.epilogue.bias.size(), " != ", channels);
  PARCONV_EXPECT(op.epilogue.residual < static_cast<int>(op.srcs.size()), "residual ", op.epilogue.residual);
  for (const OperandLayout& src : op.srcs) converted_.emplace_back(src, rows_at_once);
  const bool has_residual = op.epilogue.residual >= 0;
  const bool is_sum = op.dst.type == DType::Accumulator;
  if (has_residual || (op.dst.type != DType::F32 && !is_sum))
    unfinished_.resize(channels * static_cast<std::size_t>(shape().pixels));
  if (!has_residual) return;
  const OperandLayout& residual = op.srcs[static_cast<std::size_t>(op.epilogue.residual)];
  PARCONV_EXPECT(residual.extents == op.dst.extents, residual.extents, " != ", op.dst.extents);
}

void RowKernel::forget() {
  for (ConvertedRows& rows : converted_) rows.forget();
}

void RowKernel::execute(Sources srcs, std::byte* dst, std::byte* scratch) {
  begin(srcs, scratch);
  execute_rows(srcs, dst, scratch, {0, num_rows()});
}

void RowKernel::execute_rows(Sources srcs, std::byte* dst, std::byte* scratch, Interval rows) {
  forget();
  use(scratch);
  const Extents& extents = op_.dst.extents;
  for (index_t number = rows.lo; number < rows.hi; ++number) {
    const RowIndex row{.n = number / extents[Axis::H] / extents[Axis::D],
                       .d = number / extents[Axis::H] % extents[Axis::D],
                       .h = number % extents[Axis::H]};
    execute_row(srcs, row, dst + offset_of(op_.dst, row));
  }
}

void RowKernel::make_sums(Sources, const RowIndex&, ExactSum*, index_t) {
  fail_expectation("RowKernel::make_sums", name_of(op_.kind));
}

/// A row is computed in place unless it must be converted or its memory holds the residual.
void RowKernel::execute_row(Sources srcs, const RowIndex& row, std::byte* dst) {
  if (op_.dst.type == DType::Accumulator) return make_sums(srcs, row, reinterpret_cast<ExactSum*>(dst), op_.dst.strides[Axis::W]);
  const LocalEpilogue& epilogue = op_.epilogue;
  const bool has_residual = epilogue.residual >= 0;
  const Row apart{unfinished_.data(), shape().channels};
  const bool is_converted = op_.dst.type != DType::F32;
  const Row finished = is_converted ? apart : Row{reinterpret_cast<float*>(dst), op_.dst.strides[Axis::W]};
  const Row made = has_residual ? apart : finished;
  make_row(srcs, row, made);
  if (!epilogue.bias.empty()) add_bias_to_row(made, epilogue.bias, shape().pixels);
  if (has_residual) add_rows(finished, made, operand(srcs, static_cast<std::size_t>(epilogue.residual)).row(row), shape());
  activate_row(finished, shape(), epilogue.activation);
  if (!is_converted) return;
  const OperandLayout layout = row_of(op_.dst);
  convert(view_of(unfinished_.data(), layout.extents), {dst, layout});
}

std::size_t RowKernel::resident_bytes() const {
  std::size_t bytes = (unfinished_.size() + op_.epilogue.bias.size()) * sizeof(float);
  for (const ConvertedRows& rows : converted_) bytes += rows.size_bytes();
  return bytes;
}

}  // namespace parconv::cpu
