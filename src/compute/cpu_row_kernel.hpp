// What the CPU kernels have in common: they make dst row by row in f32 and finish each row while it is in cache. Operands of
// other types are converted row by row: kernels see f32 only.
#pragma once

#include <vector>

#include "compute/cpu_vector.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv::cpu {

/// A row of an operand: all pixels along w at these indices.
struct RowIndex {
  index_t n = 0;
  index_t d = 0;
  index_t h = 0;

  friend bool operator==(const RowIndex&, const RowIndex&) = default;
};

/// The last rows of an operand that were asked for, as f32.
class ConvertedRows {
 public:
  ConvertedRows() = default;
  /// Holds `count` rows of `layout`; none if the operand is f32.
  ConvertedRows(const OperandLayout& layout, index_t count);

  /// The row of an operand that begins at `data`. Stays valid while fewer than `count` other rows are asked for.
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

/// Elements of an operand of f32 or bf16, with its layout.
class Operand {
 public:
  Operand(const std::byte* data, const OperandLayout& layout, ConvertedRows* rows = nullptr)
      : data_(data), layout_(&layout), rows_(rows) {}

  const OperandLayout& layout() const { return *layout_; }
  /// A row as f32. See RowKernel about how long it stays.
  ConstRow row(const RowIndex& at_row) const;
  /// One element. For rows, `row` is much faster.
  float value(const Extents& at) const;

 private:
  const std::byte* data_;
  const OperandLayout* layout_;
  ConvertedRows* rows_;
};

/// Base of the kernels. Derived classes make unfinished rows of f32, and read any type through `operand`. A result of another
/// type is rounded once, when its row is finished.
class RowKernel : public Kernel {
 public:
  /// `rows_at_once`: how many rows of one source a derived class uses at the same time; a row may be gone once it has asked for
  /// that many others.
  explicit RowKernel(const LocalOp& op, index_t rows_at_once = 1);

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) final;
  std::string implementation() const override { return std::string("cpu:") + name_of(op_.kind); }
  std::size_t resident_bytes() const override;

 protected:
  using Sources = std::span<const std::byte* const>;

  /// Called before the rows of an execution; `scratch` stays valid for them.
  virtual void begin(Sources /*srcs*/, std::byte* /*scratch*/) {}
  /// Writes the row of the output without its finish. It may be the row of a source at the same place, never of the residual.
  virtual void make_row(Sources srcs, const RowIndex& row, Row dst) = 0;

  Operand operand(Sources srcs, std::size_t index) { return {srcs[index], op_.srcs[index], &converted_[index]}; }
  /// The source that is not the residual.
  Operand main_operand(Sources srcs) { return operand(srcs, main_index(op_)); }
  static std::size_t main_index(const LocalOp& op) { return op.finish.residual == 0 ? 1 : 0; }
  const LocalOp& op() const { return op_; }
  RowShape shape() const { return {.pixels = op_.dst.extents[Axis::W], .channels = op_.dst.extents[Axis::C]}; }

 private:
  void execute_row(Sources srcs, const RowIndex& row, std::byte* dst);

  LocalOp op_;
  std::vector<ConvertedRows> converted_{};  ///< of each source
  std::vector<float> unfinished_{};         ///< a row, if the residual may be in the place of dst, or dst is not f32
};

}  // namespace parconv::cpu
