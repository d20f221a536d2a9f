// SPDX-License-Identifier: Apache-2.0
// Matrix products by output rows: vectors of one operand times the packed matrix of the other, by the tile kernels of
// convolutions, so the sums have the same leaves, tree and fused multiply-adds.
#include <algorithm>

#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "compute/direct/tiles/tile.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

/// The axes of an operand: the inner index, and the index that it contributes to the output; all others are batches.
struct Side {
  std::size_t operand = 0;
  Axis inner = Axis::C;
  Axis outer = Axis::C;
};

/// The leaves of a product's sums as runs of a tile.
struct LeafRuns {
  std::vector<direct::Run> runs{};
  std::vector<direct::Leaf> leaves{};
};

LeafRuns runs_of(const SumLeaves& leaves) {
  LeafRuns result;
  const std::vector<int> joins = joins_after_leaves(leaves.count);
  for (index_t k = 0; k < leaves.count; ++k) {
    const auto [first, last] = leaves.leaf(k);
    result.runs.push_back({.src_bytes = first * static_cast<index_t>(sizeof(float)), .row = first, .length = last - first});
    result.leaves.push_back({.num_runs = 1, .num_joins = joins[static_cast<std::size_t>(k)]});
  }
  return result;
}

class MatMulKernel final : public RowKernel {
 public:
  MatMulKernel(const LocalMatMul& product, const LocalOp& op)
      : RowKernel(op), kernels_(direct::tile_kernels(direct::instruction_set())) {
    const auto [rows, columns] = std::pair(product.rows, product.columns);
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
    padded_width_ = (width_ + kernels_.width - 1) / kernels_.width * kernels_.width;
    sums_ = runs_of({.channels = inner_, .count = product.leaves.count});
    vectors_.resize(static_cast<std::size_t>(inner_ * most_vectors()));
    products_.resize(static_cast<std::size_t>(width_ * most_vectors()));
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(num_matrices() * inner_ * padded_width_) * sizeof(float);
  }
  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + (vectors_.size() + products_.size()) * sizeof(float);
  }

 private:
  const OperandLayout& layout(const Side& side) const { return op().srcs[side.operand]; }
  index_t most_vectors() const { return kernels_.num_pixels[kernels_.most_vectors]; }
  index_t num_matrices() const {
    const Extents& extents = layout(matrix_side_).extents;
    return volume(extents) / (extents[matrix_side_.outer] * extents[matrix_side_.inner]);
  }

  void use(std::byte* scratch) override { packed_ = reinterpret_cast<float*>(scratch); }

  /// Packs the matrices one after the other, each in blocks of columns with a row for each inner index.
  void begin(Sources srcs, std::byte* scratch) override {
    use(scratch);
    forget();
    std::fill(packed_, packed_ + scratch_bytes() / sizeof(float), 0.0F);
    const Extents& extents = layout(matrix_side_).extents;
    const Operand src = operand(srcs, matrix_side_.operand);
    for (index_t n = 0; n < extents[Axis::N]; ++n)
      for (index_t d = 0; d < extents[Axis::D]; ++d)
        for (index_t h = 0; h < extents[Axis::H]; ++h) pack_row(src.row({n, d, h}), {{n, 0, d, h, 0}});
  }

  void pack_row(ConstRow row, Extents at) {
    const Extents& extents = layout(matrix_side_).extents;
    const index_t block_width = kernels_.most_vectors * kernels_.width;
    for (index_t w = 0; w < extents[Axis::W]; ++w)
      for (index_t c = 0; c < extents[Axis::C]; ++c) {
        at[Axis::W] = w;
        at[Axis::C] = c;
        const index_t column = at[matrix_side_.outer], k = at[matrix_side_.inner];
        const index_t first = column / block_width * block_width, width = std::min(block_width, padded_width_ - first);
        matrix_at(at)[first * inner_ + k * width + column - first] = row.data[w * row.pitch + c];
      }
  }

  float* matrix_at(const Extents& at) const {
    const Extents& extents = layout(matrix_side_).extents;
    index_t number = 0;
    for (Axis axis : all_axes)
      if (axis != matrix_side_.outer && axis != matrix_side_.inner) number = number * extents[axis] + at[axis];
    return packed_ + number * inner_ * padded_width_;
  }

  /// The outputs of a row: along the matrix's columns, and one after the other along the other axis of rows.
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const bool is_along_w = matrix_side_.outer == Axis::W;
    const index_t count = is_along_w ? shape().channels : shape().pixels;
    const auto index_of = [&](index_t k) { return Extents{{row.n, is_along_w ? k : 0, row.d, row.h, is_along_w ? 0 : k}}; };
    const auto matrix_of = [&](index_t k) { return matrix_at(of_side(matrix_side_, index_of(k))); };
    for (index_t first = 0, last = 0; first < count; first = last) {
      const float* const matrix = matrix_of(first);
      for (; last < count && last < first + most_vectors() && matrix_of(last) == matrix; ++last)
        take_vector(operand(srcs, vector_side_.operand), of_side(vector_side_, index_of(last)), last - first);
      multiply(matrix, last - first);
      for (index_t k = first; k < last; ++k) {
        float* const out = dst.data + k * (is_along_w ? 1 : dst.pitch);
        const index_t step = is_along_w ? dst.pitch : 1;
        for (index_t j = 0; j < width_; ++j) out[j * step] = products_[static_cast<std::size_t>((k - first) * width_ + j)];
      }
    }
  }

  /// The operand's element index for the output at `at`, at inner index 0.
  Extents of_side(const Side& side, Extents at) const {
    const bool is_vector = side.operand == vector_side_.operand;
    for (Axis axis : all_axes)
      if (axis == side.inner || (axis == side.outer && !is_vector) || layout(side).extents[axis] == 1) at[axis] = 0;
    return at;
  }

  /// Gathers vector number `number` of a tile. The inner index lies within one row.
  void take_vector(const Operand& src, const Extents& at, index_t number) {
    const ConstRow row = src.row({at[Axis::N], at[Axis::D], at[Axis::H]});
    const float* const first = row.data + at[Axis::W] * row.pitch + at[Axis::C];
    const index_t stride = vector_side_.inner == Axis::W ? row.pitch : 1;
    for (index_t k = 0; k < inner_; ++k) vectors_[static_cast<std::size_t>(number * inner_ + k)] = first[k * stride];
  }

  /// The products of the first `count` vectors with a packed matrix.
  void multiply(const float* matrix, index_t count) {
    const std::byte* srcs[direct::most_pixels];
    std::byte* dsts[direct::most_pixels];
    for (index_t k = 0; k < count; ++k) {
      srcs[k] = reinterpret_cast<const std::byte*>(vectors_.data() + k * inner_);
      dsts[k] = reinterpret_cast<std::byte*>(products_.data() + k * width_);
    }
    const index_t block_width = kernels_.most_vectors * kernels_.width;
    for (index_t first = 0; first < width_; first += block_width) {
      const int vectors = static_cast<int>(std::min(block_width, padded_width_ - first) / kernels_.width);
      kernels_.sums[vectors][count]({.src = srcs,
                                     .dst = dsts,
                                     .dst_bytes = first * static_cast<index_t>(sizeof(float)),
                                     .runs = sums_.runs.data(),
                                     .leaves = sums_.leaves.data(),
                                     .num_leaves = static_cast<int>(sums_.leaves.size()),
                                     .weights = matrix + first * inner_,
                                     .channels = static_cast<int>(std::min(block_width, width_ - first))});
    }
  }

  const direct::TileKernels& kernels_;
  Side vector_side_{};
  Side matrix_side_{};
  index_t inner_ = 0;
  index_t width_ = 0;
  index_t padded_width_ = 0;
  LeafRuns sums_{};
  float* packed_ = nullptr;
  std::vector<float> vectors_{};
  std::vector<float> products_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalMatMul& product, const LocalOp& op) {
  return std::make_unique<MatMulKernel>(product, op);
}

}  // namespace parconv::cpu
