// SPDX-License-Identifier: Apache-2.0
// Elementwise kernels: fill, copy, scale and shift, sum.
#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

class FillKernel final : public RowKernel {
 public:
  explicit FillKernel(const LocalOp& op) : RowKernel(op), value_(std::get<LocalFill>(op.kind).value) {}

 private:
  void make_row(Sources, const RowIndex&, Row dst) override { fill_row(dst, value_, shape()); }

  float value_;
};

class CopyKernel final : public RowKernel {
 public:
  using RowKernel::RowKernel;

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const ConstRow src = main_operand(srcs).row(row);
    if (src.data != dst.data) copy_row(dst, src, shape());
  }
};

class ScaleShiftKernel final : public RowKernel {
 public:
  explicit ScaleShiftKernel(const LocalOp& op) : RowKernel(op), numbers_(std::get<LocalScaleShift>(op.kind)) {
    const auto channels = static_cast<std::size_t>(op.dst.extents[Axis::C]);
    PARCONV_EXPECT(numbers_.scale.size() == channels && numbers_.shift.size() == channels, numbers_.scale.size(), " scales");
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    scale_shift_row(dst, main_operand(srcs).row(row), numbers_.scale, numbers_.shift, shape().pixels);
  }

  LocalScaleShift numbers_;
};

/// The row of a source for a row of dst; axes of extent 1 are broadcast.
ConstRow broadcast_row(const Operand& operand, const RowIndex& row) {
  const auto along = [&](Axis axis, index_t index) { return operand.layout().extents[axis] == 1 ? 0 : index; };
  const ConstRow found = operand.row({along(Axis::N, row.n), along(Axis::D, row.d), along(Axis::H, row.h)});
  return {found.data, operand.layout().extents[Axis::W] == 1 ? 0 : found.pitch};
}

class SumKernel final : public RowKernel {
 public:
  explicit SumKernel(const LocalOp& op) : RowKernel(op) {
    for (std::size_t k = 0; k < op.srcs.size(); ++k)
      if (static_cast<int>(k) != op.epilogue.residual) terms_.push_back(k);
    PARCONV_EXPECT(!terms_.empty(), "a sum without sources");
    const auto row_elems = static_cast<std::size_t>(shape().pixels * shape().channels);
    sum_.resize(row_elems);
    term_.resize(row_elems);
  }

  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + (sum_.size() + term_.size()) * sizeof(float);
  }

 private:
  /// Only the last addition writes dst, which may alias any source.
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const Row partial{sum_.data(), shape().channels};
    if (terms_.size() == 1) return copy_row(dst, term(srcs, 0, row, partial), shape());
    ConstRow sum = term(srcs, 0, row, partial);
    for (std::size_t k = 1; k < terms_.size(); ++k) {
      const Row target = k + 1 == terms_.size() ? dst : partial;
      add_rows(target, sum, term(srcs, k, row, {term_.data(), shape().channels}), shape());
      sum = target;
    }
  }

  /// A term with all channels; one with a single channel is broadcast into `spread`.
  ConstRow term(Sources srcs, std::size_t k, const RowIndex& row, Row spread) {
    const Operand source = operand(srcs, terms_[k]);
    const ConstRow found = broadcast_row(source, row);
    if (source.layout().extents[Axis::C] == shape().channels) return found;
    spread_row(spread, found, shape());
    return spread;
  }

  std::vector<std::size_t> terms_{};
  std::vector<float> sum_{};
  std::vector<float> term_{};
};

/// The sum by a tree: see joins_after. All sources have all elements.
class TreeSumKernel final : public RowKernel {
 public:
  TreeSumKernel(const LocalSum& sum, const LocalOp& op) : RowKernel(op), joins_(sum.joins) {
    for (std::size_t k = 0; k < op.srcs.size(); ++k)
      if (static_cast<int>(k) != op.epilogue.residual) terms_.push_back(k);
    PARCONV_EXPECT(terms_.size() == joins_.size(), terms_.size(), " sources, ", joins_.size(), " numbers of joins");
    for (const std::size_t term : terms_) PARCONV_EXPECT(op.srcs[term].extents == op.dst.extents, "source ", term);
    int open = 0, most_open = 0;
    for (const int joins : joins_) {
      most_open = std::max(most_open, open + 1);
      open += 1 - joins;
    }
    const auto row_elems = static_cast<std::size_t>(shape().pixels * shape().channels);
    rows_.assign(static_cast<std::size_t>(most_open), std::vector<float>(row_elems));
    open_.reserve(rows_.size());
  }

  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + rows_.size() * rows_.front().size() * sizeof(float);
  }

 private:
  /// A source stays where it is until it is joined; a joined sum is in the row of its depth.
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    open_.clear();
    for (std::size_t k = 0; k < terms_.size(); ++k) {
      open_.push_back(operand(srcs, terms_[k]).row({row.n, row.d, row.h}));
      for (int join = 0; join < joins_[k]; ++join) {
        const ConstRow last = open_.back();
        open_.pop_back();
        const bool is_last = k + 1 == terms_.size() && open_.size() == 1;
        const Row target = is_last ? dst : Row{rows_[open_.size() - 1].data(), shape().channels};
        add_rows(target, open_.back(), last, shape());
        open_.back() = target;
      }
    }
    if (terms_.size() == 1) copy_row(dst, open_.front(), shape());
  }

  std::vector<int> joins_;
  std::vector<std::size_t> terms_{};
  std::vector<std::vector<float>> rows_{};
  std::vector<ConstRow> open_{};
};

class BinaryKernel final : public RowKernel {
 public:
  explicit BinaryKernel(const LocalOp& op) : RowKernel(op), kind_(std::get<LocalBinary>(op.kind).kind) {
    std::vector<std::size_t> operands;
    for (std::size_t k = 0; k < op.srcs.size(); ++k)
      if (static_cast<int>(k) != op.epilogue.residual) operands.push_back(k);
    PARCONV_EXPECT(operands.size() == 2, operands.size(), " sources of a binary function");
    operands_ = {operands[0], operands[1]};
    for (std::size_t k = 0; k < 2; ++k)
      if (op.srcs[operands_[k]].extents[Axis::C] != shape().channels)
        spread_[k].resize(static_cast<std::size_t>(shape().pixels * shape().channels));
  }

  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + (spread_[0].size() + spread_[1].size()) * sizeof(float);
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    combine_rows(kind_, dst, side(srcs, 0, row), side(srcs, 1, row), shape());
  }

  /// An operand with all channels, broadcast if it has only one.
  ConstRow side(Sources srcs, std::size_t k, const RowIndex& row) {
    const ConstRow found = broadcast_row(operand(srcs, operands_[k]), row);
    if (spread_[k].empty()) return found;
    const Row spread{spread_[k].data(), shape().channels};
    spread_row(spread, found, shape());
    return spread;
  }

  BinaryKind kind_;
  std::array<std::size_t, 2> operands_{};
  std::array<std::vector<float>, 2> spread_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalFill&, const LocalOp& op) { return std::make_unique<FillKernel>(op); }
std::unique_ptr<Kernel> make_kernel(const LocalCopy&, const LocalOp& op) { return std::make_unique<CopyKernel>(op); }
std::unique_ptr<Kernel> make_kernel(const LocalScaleShift&, const LocalOp& op) { return std::make_unique<ScaleShiftKernel>(op); }
std::unique_ptr<Kernel> make_kernel(const LocalSum& sum, const LocalOp& op) {
  if (!sum.joins.empty()) return std::make_unique<TreeSumKernel>(sum, op);
  return std::make_unique<SumKernel>(op);
}
std::unique_ptr<Kernel> make_kernel(const LocalBinary&, const LocalOp& op) { return std::make_unique<BinaryKernel>(op); }

}  // namespace parconv::cpu
