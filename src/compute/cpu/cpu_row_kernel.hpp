// SPDX-License-Identifier: Apache-2.0
// The base of the CPU kernels: dst is computed row by row in f32, and the epilogue is applied while a row is in cache. Operands
// of other types are converted row by row, so kernels see f32 only.
#pragma once

#include <vector>

#include "compute/cpu/cpu_vector.hpp"
#include "compute/main_index.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/model/local_op.hpp"
#include "parconv/tensor/exact_sum.hpp"

namespace parconv::cpu {

/// A row of an operand: all pixels along w at these indices.
struct RowIndex {
  index_t n = 0;
  index_t d = 0;
  index_t h = 0;

  friend bool operator==(const RowIndex&, const RowIndex&) = default;
};

/// A cache of the most recent rows of an operand, as f32.
class ConvertedRows {
 public:
  ConvertedRows() = default;
  /// Holds `count` rows of `layout`, or none if the operand is f32 or has accumulators.
  ConvertedRows(const OperandLayout& layout, index_t count);

  /// The row of an operand that begins at `data`. Valid until `count` other rows have been requested.
  ConstRow get(const std::byte* data, const OperandLayout& layout, const RowIndex& index);
  void forget();
  std::size_t size_bytes() const { return memory_.size() * sizeof(float); }

 private:
  struct Slot {
    RowIndex index{};
    index_t last_use = -1;  ///< -1: never
  };

  std::vector<Slot> slots_{};
  std::vector<float> memory_{};
  index_t row_elems_ = 0;
  index_t num_uses_ = 0;
};

/// An operand with its layout.
class Operand {
 public:
  Operand(const std::byte* data, const OperandLayout& layout, ConvertedRows* rows = nullptr)
      : data_(data), layout_(&layout), rows_(rows) {}

  const OperandLayout& layout() const { return *layout_; }
  /// A row as f32. RowKernel states how long it is valid.
  ConstRow row(const RowIndex& at_row) const;
  /// One element. `row` is much faster for whole rows.
  float value(const Extents& at) const;
  /// A row of accumulators, strides[W] apart from pixel to pixel. Precondition: the operand has that type.
  const ExactSum* sums(const RowIndex& at_row) const;

 private:
  const std::byte* data_;
  const OperandLayout* layout_;
  ConvertedRows* rows_;
};

/// Base of the kernels. Derived classes compute f32 rows without the epilogue and read any type through `operand`. Results of
/// other types are rounded once, after the epilogue; accumulators are results without an epilogue.
class RowKernel : public Kernel {
 public:
  /// `rows_at_once` is the number of rows of one source in use at the same time; a row is valid until that many others have
  /// been requested.
  explicit RowKernel(const LocalOp& op, index_t rows_at_once = 1);

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) final;

  /// The parts of `execute`, for several equal kernels that share the rows of one execution: `begin` on one of them, then
  /// `execute_rows` on each, at the same time. Rows are numbered along h, d and n.
  virtual void begin(std::span<const std::byte* const> /*srcs*/, std::byte* /*scratch*/) {}
  void execute_rows(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch, Interval rows);
  index_t num_rows() const { return op_.dst.extents[Axis::N] * op_.dst.extents[Axis::D] * op_.dst.extents[Axis::H]; }

  std::string implementation() const override { return std::string("cpu:") + name_of(op_.kind); }
  std::size_t resident_bytes() const override;

 protected:
  using Sources = std::span<const std::byte* const>;

  /// Called on every kernel before its rows; `scratch` is valid for all of them, and holds what `begin` left there.
  virtual void use(std::byte* /*scratch*/) {}
  /// Writes a row of the output without the epilogue. dst may alias the same row of a source, never of the residual.
  virtual void make_row(Sources srcs, const RowIndex& row, Row dst) = 0;
  /// Writes a row of accumulators, `pitch` apart from pixel to pixel, for kernels whose result may have that type.
  virtual void make_sums(Sources srcs, const RowIndex& row, ExactSum* dst, index_t pitch);

  /// Drops converted rows of an earlier execution.
  void forget();
  Operand operand(Sources srcs, std::size_t index) { return {srcs[index], op_.srcs[index], &converted_[index]}; }
  /// The source that is not the residual.
  Operand main_operand(Sources srcs) { return operand(srcs, main_index(op_)); }
  const LocalOp& op() const { return op_; }
  RowShape shape() const { return {.pixels = op_.dst.extents[Axis::W], .channels = op_.dst.extents[Axis::C]}; }

 private:
  void execute_row(Sources srcs, const RowIndex& row, std::byte* dst);

  LocalOp op_;
  std::vector<ConvertedRows> converted_{};  ///< by source
  std::vector<float> unfinished_{};         ///< a row, if the residual may alias dst or dst is not f32
};

}  // namespace parconv::cpu
