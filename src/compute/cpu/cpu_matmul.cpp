// SPDX-License-Identifier: Apache-2.0
// Matrix products by output rows: a vector of one operand times the packed matrix of the other. Every output is summed in the
// order of the inner index, so its bits do not depend on the split.
#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

/// The axes of an operand: the inner index, and the index that it contributes to the output; all others are batches.
struct Side {
  std::size_t operand = 0;
  Axis inner = Axis::C;
  Axis outer = Axis::C;
};

class MatMulKernel final : public RowKernel {
 public:
  explicit MatMulKernel(const LocalOp& op) : RowKernel(op) {
    const auto [rows, columns, leaves] = std::get<LocalMatMul>(op.kind);
    std::vector<std::size_t> operands;
    for (std::size_t k = 0; k < op.srcs.size(); ++k)
      if (static_cast<int>(k) != op.epilogue.residual) operands.push_back(k);
    PARCONV_EXPECT(operands.size() == 2, operands.size(), " sources of a product");
    const Side left{operands[0], columns, rows}, right{operands[1], rows, columns};
    const bool has_columns_in_row = columns == Axis::W || (columns == Axis::C && rows != Axis::W);
    vector_side_ = has_columns_in_row ? left : right;
    matrix_side_ = has_columns_in_row ? right : left;
    PARCONV_EXPECT(vector_side_.inner == Axis::W || vector_side_.inner == Axis::C, name_of(vector_side_.inner));
    inner_ = layout(matrix_side_).extents[matrix_side_.inner];
    width_ = op.dst.extents[matrix_side_.outer];
    vector_.resize(static_cast<std::size_t>(inner_));
    product_.resize(static_cast<std::size_t>(width_));
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(volume(layout(matrix_side_).extents)) * sizeof(float);
  }
  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + (vector_.size() + product_.size()) * sizeof(float);
  }

 private:
  const OperandLayout& layout(const Side& side) const { return op().srcs[side.operand]; }

  /// Packs the matrices in the order batch, inner index, output index.
  void begin(Sources srcs, std::byte* scratch) override {
    packed_ = reinterpret_cast<float*>(scratch);
    const Extents& extents = layout(matrix_side_).extents;
    const Extents to = packed_strides();
    const Operand src = operand(srcs, matrix_side_.operand);
    for (index_t n = 0; n < extents[Axis::N]; ++n)
      for (index_t d = 0; d < extents[Axis::D]; ++d)
        for (index_t h = 0; h < extents[Axis::H]; ++h) pack_row(src.row({n, d, h}), {{n, 0, d, h, 0}}, to);
  }

  void pack_row(ConstRow row, Extents at, const Extents& to) {
    const Extents& extents = layout(matrix_side_).extents;
    for (index_t w = 0; w < extents[Axis::W]; ++w)
      for (index_t c = 0; c < extents[Axis::C]; ++c) {
        at[Axis::W] = w;
        at[Axis::C] = c;
        packed_[offset(to, at)] = row.data[w * row.pitch + c];
      }
  }

  Extents packed_strides() const {
    const Extents& extents = layout(matrix_side_).extents;
    Extents strides;
    strides[matrix_side_.outer] = 1;
    strides[matrix_side_.inner] = extents[matrix_side_.outer];
    index_t stride = extents[matrix_side_.outer] * extents[matrix_side_.inner];
    for (Axis axis : {Axis::C, Axis::W, Axis::H, Axis::D, Axis::N}) {
      if (axis == matrix_side_.outer || axis == matrix_side_.inner) continue;
      strides[axis] = stride;
      stride *= extents[axis];
    }
    return strides;
  }

  static index_t offset(const Extents& strides, const Extents& at) {
    index_t result = 0;
    for (Axis axis : all_axes) result += at[axis] * strides[axis];
    return result;
  }

  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const bool is_along_w = matrix_side_.outer == Axis::W;
    const index_t batches = is_along_w ? shape().channels : shape().pixels;
    const index_t step = is_along_w ? dst.pitch : 1;
    for (index_t batch = 0; batch < batches; ++batch) {
      const Extents at{{row.n, is_along_w ? batch : 0, row.d, row.h, is_along_w ? 0 : batch}};
      take_vector(operand(srcs, vector_side_.operand), of_side(vector_side_, at));
      multiply(product_, vector_, packed_ + offset(packed_strides(), of_side(matrix_side_, at)));
      float* const out = dst.data + batch * (is_along_w ? 1 : dst.pitch);
      for (index_t k = 0; k < width_; ++k) out[k * step] = product_[static_cast<std::size_t>(k)];
    }
  }

  /// The operand's element index for the output at `at`, at inner index 0.
  Extents of_side(const Side& side, Extents at) const {
    const bool is_vector = side.operand == vector_side_.operand;
    for (Axis axis : all_axes)
      if (axis == side.inner || (axis == side.outer && !is_vector) || layout(side).extents[axis] == 1) at[axis] = 0;
    return at;
  }

  /// Gathers the vector. The inner index lies within one row.
  void take_vector(const Operand& src, const Extents& at) {
    const ConstRow row = src.row({at[Axis::N], at[Axis::D], at[Axis::H]});
    const float* const first = row.data + at[Axis::W] * row.pitch + at[Axis::C];
    const index_t stride = vector_side_.inner == Axis::W ? row.pitch : 1;
    for (index_t k = 0; k < inner_; ++k) vector_[static_cast<std::size_t>(k)] = first[k * stride];
  }

  Side vector_side_{};
  Side matrix_side_{};
  index_t inner_ = 0;
  index_t width_ = 0;
  float* packed_ = nullptr;
  std::vector<float> vector_{};
  std::vector<float> product_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalMatMul&, const LocalOp& op) { return std::make_unique<MatMulKernel>(op); }

}  // namespace parconv::cpu
