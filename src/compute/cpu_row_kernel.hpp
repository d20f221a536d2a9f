// What the CPU kernels have in common: they make dst row by row and finish each row while it is in cache.
#pragma once

#include <vector>

#include "compute/cpu_vector.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv::cpu {

/// A row of an output: all pixels along w at these indices.
struct RowIndex {
  index_t n = 0;
  index_t d = 0;
  index_t h = 0;
};

/// Numbers of an operand, with its layout.
class Operand {
 public:
  Operand(const std::byte* data, const OperandLayout& layout) : data_(reinterpret_cast<const float*>(data)), layout_(&layout) {}

  const OperandLayout& layout() const { return *layout_; }
  /// The first number at these indices.
  const float* at(index_t n, index_t d = 0, index_t h = 0, index_t w = 0) const;
  ConstRow row(const RowIndex& at_row) const;

 private:
  const float* data_;
  const OperandLayout* layout_;
};

/// Base of the kernels. Derived classes make unfinished rows.
class RowKernel : public Kernel {
 public:
  explicit RowKernel(const LocalOp& op);

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) final;
  std::string implementation() const override { return std::string("cpu:") + name_of(op_.kind); }
  std::size_t resident_bytes() const override;

 protected:
  using Sources = std::span<const std::byte* const>;

  /// Called before the rows of an execution; `scratch` stays valid for them.
  virtual void begin(Sources /*srcs*/, std::byte* /*scratch*/) {}
  /// Writes the row of the output without its finish. It may be the row of a source at the same place, never of the residual.
  virtual void make_row(Sources srcs, const RowIndex& row, Row dst) = 0;

  Operand operand(Sources srcs, std::size_t index) const { return {srcs[index], op_.srcs[index]}; }
  /// The source that is not the residual.
  Operand main_operand(Sources srcs) const { return operand(srcs, main_index(op_)); }
  static std::size_t main_index(const LocalOp& op) { return op.finish.residual == 0 ? 1 : 0; }
  const LocalOp& op() const { return op_; }
  RowShape shape() const { return {.pixels = op_.dst.extents[Axis::W], .channels = op_.dst.extents[Axis::C]}; }

 private:
  void execute_row(Sources srcs, const RowIndex& row, Row dst);

  LocalOp op_;
  std::vector<float> unfinished_{};  ///< a row, if there is a residual: that may be in the place of dst
};

}  // namespace parconv::cpu
