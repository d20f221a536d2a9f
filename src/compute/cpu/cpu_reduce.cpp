// SPDX-License-Identifier: Apache-2.0
// Sum, product, maximum and minimum over any axes, and the reduction of partial results. Sums are exact.
#include <algorithm>
#include <functional>

#include "compute/cpu/cpu_exact_sum.hpp"
#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "compute/elements/element_tables.hpp"
#include "compute/scratch_bytes.hpp"
#include "parconv/core/error.hpp"

namespace parconv::cpu {
namespace {

/// Pixels that are reduced at once: enough for long inner loops, few enough that their addresses stay in cache.
constexpr index_t most_taps = 256;

/// The source of a LocalReduce: the rows that are reduced into an output row, and the pixels of them.
class ReducedRows {
 public:
  explicit ReducedRows(const LocalOp& op) : reduce_(std::get<LocalReduce>(op.kind)), src_(op.srcs[main_index(op)].extents) {
    for (Axis axis : all_axes)
      PARCONV_EXPECT(op.dst.extents[axis] == (is_marked(axis) ? 1 : src_[axis]), src_, " to ", op.dst.extents);
    taps_.reserve(static_cast<std::size_t>(most_taps + extent(Axis::W) + 1));
  }

  bool is_marked(Axis axis) const { return reduce_.axes[static_cast<std::size_t>(axis)]; }
  /// The number of indices reduced along an axis.
  index_t extent(Axis axis) const { return is_marked(axis) ? src_[axis] : 1; }
  index_t channels() const { return src_[Axis::C]; }
  std::size_t size_bytes() const { return taps_.capacity() * sizeof(const float*); }

  /// Rows of the source that must stay valid: those of the taps that are visited at once, or all that are reduced into one row if
  /// each is visited again for every pixel.
  index_t rows_at_once() const {
    const index_t rows = extent(Axis::N) * extent(Axis::D) * extent(Axis::H);
    return is_marked(Axis::W) ? std::min(rows, ceil_div(most_taps, src_[Axis::W])) : rows;
  }

  /// Calls visit(row) for every reduced row, in order.
  template <class Visit>
  void for_each_row(const Operand& src, const RowIndex& row, Visit&& visit) const {
    for (index_t n = 0; n < extent(Axis::N); ++n)
      for (index_t d = 0; d < extent(Axis::D); ++d)
        for (index_t h = 0; h < extent(Axis::H); ++h) visit(src.row({row.n + n, row.d + d, row.h + h}));
  }

  /// Calls visit(taps) with the addresses of the pixels that are reduced into pixel w, in order, some at a time, each time behind
  /// `so_far`, unless that is null.
  template <class Visit>
  void for_each_taps(const Operand& src, const RowIndex& row, index_t w, const float* so_far, Visit&& visit) {
    const auto begin = [&] {
      taps_.clear();
      if (so_far != nullptr) taps_.push_back(so_far);
    };
    begin();
    for_each_row(src, row, [&](ConstRow pixels) {
      for (index_t k = 0; k < extent(Axis::W); ++k) taps_.push_back(pixels.data + (w + k) * pixels.pitch);
      if (std::ssize(taps_) < most_taps) return;
      visit(taps_);
      begin();
    });
    visit(taps_);
  }

  /// Calls visit(numbers) with all channels of the pixels that are reduced into pixel w, in order, some at a time.
  template <class Visit>
  void for_each_numbers(const Operand& src, const RowIndex& row, index_t w, Visit&& visit) const {
    for_each_row(src, row, [&](ConstRow pixels) {
      const bool is_packed = pixels.pitch == channels();
      const index_t count = extent(Axis::W), at_once = is_packed ? count : 1;
      for (index_t k = 0; k < count; k += at_once)
        visit({pixels.data + (w + k) * pixels.pitch, static_cast<std::size_t>(at_once * channels())});
    });
  }

 private:
  LocalReduce reduce_;
  Extents src_;
  std::vector<const float*> taps_{};
};

class SumKernel final : public RowKernel {
 public:
  explicit SumKernel(const LocalOp& op)
      : RowKernel(op, ReducedRows(op).rows_at_once()), rows_(op), count_(std::get<LocalReduce>(op.kind).count) {
    PARCONV_EXPECT(count_ >= 1, count_);
    sums_.resize(static_cast<std::size_t>(shape().channels));
  }

  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + rows_.size_bytes() + sums_.size() * sizeof(ExactSum);
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const auto divisor = static_cast<float>(count_);
    for (index_t w = 0; w < shape().pixels; ++w) {
      make_pixel(main_operand(srcs), row, w);
      for (index_t c = 0; c < shape().channels; ++c)
        dst.data[w * dst.pitch + c] = rounded(sums_[static_cast<std::size_t>(c)]) / divisor;
    }
  }

  void make_sums(Sources srcs, const RowIndex& row, ExactSum* dst, index_t pitch) override {
    for (index_t w = 0; w < shape().pixels; ++w) {
      make_pixel(main_operand(srcs), row, w);
      std::copy(sums_.begin(), sums_.end(), dst + w * pitch);
    }
  }

  void make_pixel(const Operand& src, const RowIndex& row, index_t w) {
    std::fill(sums_.begin(), sums_.end(), ExactSum{});
    if (rows_.is_marked(Axis::C))
      rows_.for_each_numbers(src, row, w, [&](std::span<const float> numbers) { add_all(numbers, sums_.front()); });
    else
      rows_.for_each_taps(src, row, w, nullptr, [&](Taps taps) { add_taps(taps, sums_); });
  }

  ReducedRows rows_;
  index_t count_;
  std::vector<ExactSum> sums_{};  ///< of a pixel
};

/// Products, maxima and minima.
class ReduceKernel final : public RowKernel {
 public:
  explicit ReduceKernel(const LocalOp& op)
      : RowKernel(op, ReducedRows(op).rows_at_once()), rows_(op), kind_(std::get<LocalReduce>(op.kind).kind) {
    PARCONV_EXPECT(std::get<LocalReduce>(op.kind).count == 1, "a count without a sum");
    so_far_.resize(static_cast<std::size_t>(shape().channels));
  }

  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + rows_.size_bytes() + so_far_.size() * sizeof(float);
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    for (index_t w = 0; w < shape().pixels; ++w) {
      std::fill(so_far_.begin(), so_far_.end(), neutral_element(kind_));
      reduce_pixel(main_operand(srcs), row, w);
      std::copy(so_far_.begin(), so_far_.end(), dst.data + w * dst.pitch);
    }
  }

  void reduce_pixel(const Operand& src, const RowIndex& row, index_t w) {
    if (rows_.is_marked(Axis::C))
      return rows_.for_each_numbers(
          src, row, w, [&](std::span<const float> numbers) { so_far_.front() = join(kind_, so_far_.front(), numbers); });
    rows_.for_each_taps(src, row, w, so_far_.data(), [&](Taps taps) { join_taps(kind_, so_far_, taps); });
  }

  ReducedRows rows_;
  ReduceKind kind_;
  std::vector<float> so_far_{};  ///< a pixel
};

/// Partial results of one node, each with all elements of the result.
class ReducePartsKernel final : public RowKernel {
 public:
  ReducePartsKernel(const LocalReduceParts& parts, const LocalOp& op)
      : RowKernel(op), parts_(parts), sources_(element::operand_indices(op)) {
    PARCONV_EXPECT(!sources_.empty() && parts.count >= 1 && parts.kind != ReduceKind::Product, sources_.size(), " parts");
    for (const std::size_t k : sources_)
      PARCONV_EXPECT(op.srcs[k].extents == op.dst.extents, op.srcs[k].extents, " != ", op.dst.extents);
    taps_.reserve(sources_.size());
  }

 private:
  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    for (index_t w = 0; w < shape().pixels; ++w) {
      const std::span pixel(dst.data + w * dst.pitch, static_cast<std::size_t>(shape().channels));
      if (parts_.kind == ReduceKind::Sum)
        add_pixels(srcs, row, w, pixel);
      else
        join_pixels(srcs, row, w, pixel);
    }
  }

  void make_sums(Sources srcs, const RowIndex& row, ExactSum* dst, index_t pitch) override {
    for (index_t w = 0; w < shape().pixels; ++w)
      for (index_t c = 0; c < shape().channels; ++c) dst[w * pitch + c] = sum(srcs, row, w, c);
  }

  void add_pixels(Sources srcs, const RowIndex& row, index_t w, std::span<float> pixel) {
    const auto divisor = static_cast<float>(parts_.count);
    for (std::size_t c = 0; c < pixel.size(); ++c) pixel[c] = rounded(sum(srcs, row, w, static_cast<index_t>(c))) / divisor;
  }

  ExactSum sum(Sources srcs, const RowIndex& row, index_t w, index_t c) {
    ExactSum result;
    for (const std::size_t k : sources_) {
      const Operand source = operand(srcs, k);
      add(result, source.sums(row)[w * source.layout().strides[Axis::W] + c]);
    }
    return result;
  }

  void join_pixels(Sources srcs, const RowIndex& row, index_t w, std::span<float> pixel) {
    taps_.clear();
    for (const std::size_t k : sources_) {
      const ConstRow pixels = operand(srcs, k).row(row);
      taps_.push_back(pixels.data + w * pixels.pitch);
    }
    join_taps(parts_.kind, pixel, taps_);
  }

  LocalReduceParts parts_;
  std::vector<std::size_t> sources_;
  std::vector<const float*> taps_{};
};

/// A reduction whose source is divided among threads, as among ranks: partial results in scratch memory, then their reduction.
class ThreadedReduction final : public Kernel {
 public:
  /// Threads divide `axis`, which is reduced.
  ThreadedReduction(const LocalReduce& reduce, const LocalOp& op, Axis axis, int threads) : src_(main_index(op)) {
    const DType type = reduce.kind == ReduceKind::Sum ? DType::Accumulator : DType::F32;
    const Box result = Box::whole(op.dst.extents);
    LocalOp whole;
    whole.kind = LocalReduceParts{reduce.kind, reduce.count};
    whole.epilogue = op.epilogue;
    whole.dst = op.dst;
    for (int thread = 0; thread < threads; ++thread) {
      OperandLayout part = op.srcs[src_];
      const Interval own = equal_part(part.extents[axis], thread, threads);
      part.extents[axis] = own.size();
      src_bytes_.push_back(static_cast<std::size_t>(own.lo * part.strides[axis]) * size_of(part.type));
      LocalOp partial;
      partial.kind = reduce;
      partial.srcs.push_back(part);
      partial.dst = layout_within(result, result, type);
      partials_.push_back(make_kernel(reduce, partial));
      whole.srcs.push_back(partial.dst);
    }
    result_bytes_ = aligned(static_cast<std::size_t>(volume(op.dst.extents)) * size_of(type));
    if (op.epilogue.residual >= 0) {
      residual_ = op.epilogue.residual;
      whole.epilogue.residual = threads;
      whole.srcs.push_back(op.srcs[static_cast<std::size_t>(residual_)]);
    }
    whole_ = make_kernel(std::get<LocalReduceParts>(whole.kind), whole);
    whole_srcs_.resize(whole.srcs.size());
  }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    const auto work = [&](int thread) {
      const auto k = static_cast<std::size_t>(thread);
      const std::byte* const src = srcs[src_] + src_bytes_[k];
      partials_[k]->execute({&src, 1}, scratch + k * result_bytes_, nullptr);
    };
    on_threads(static_cast<int>(partials_.size()), std::cref(work));
    for (std::size_t k = 0; k < partials_.size(); ++k) whole_srcs_[k] = scratch + k * result_bytes_;
    if (residual_ >= 0) whole_srcs_.back() = srcs[static_cast<std::size_t>(residual_)];
    whole_->execute(whole_srcs_, dst, nullptr);
  }

  std::size_t scratch_bytes() const override { return partials_.size() * result_bytes_; }
  std::size_t resident_bytes() const override {
    std::size_t bytes = whole_->resident_bytes();
    for (const auto& partial : partials_) bytes += partial->resident_bytes();
    return bytes;
  }
  std::string implementation() const override { return partials_.front()->implementation(); }

 private:
  std::size_t src_;
  int residual_ = -1;
  std::vector<std::size_t> src_bytes_{};  ///< of each part, from the source
  std::vector<std::unique_ptr<Kernel>> partials_{};
  std::size_t result_bytes_ = 0;  ///< of one part
  std::unique_ptr<Kernel> whole_{};
  std::vector<const std::byte*> whole_srcs_{};
};

}  // namespace

std::unique_ptr<Kernel> make_threaded_kernel(const LocalReduce& reduce, const LocalOp& op, const ThreadShare& threads) {
  const OperandLayout& src = op.srcs[main_index(op)];
  const index_t rows = op.dst.extents[Axis::N] * op.dst.extents[Axis::D] * op.dst.extents[Axis::H];
  if (reduce.kind == ReduceKind::Product || rows >= threads.count) return nullptr;
  Axis longest = Axis::C;
  for (Axis axis : {Axis::N, Axis::D, Axis::H, Axis::W})
    if (reduce.axes[static_cast<std::size_t>(axis)] && (longest == Axis::C || src.extents[axis] > src.extents[longest]))
      longest = axis;
  const int used = longest == Axis::C ? 1 : threads_for(src.extents[longest], volume(src.extents), threads);
  if (used == 1) return nullptr;
  return std::make_unique<ThreadedReduction>(reduce, op, longest, used);
}

std::unique_ptr<Kernel> make_kernel(const LocalReduce& reduce, const LocalOp& op) {
  if (reduce.kind == ReduceKind::Sum) return std::make_unique<SumKernel>(op);
  return std::make_unique<ReduceKernel>(op);
}
std::unique_ptr<Kernel> make_kernel(const LocalReduceParts& parts, const LocalOp& op) {
  return std::make_unique<ReducePartsKernel>(parts, op);
}

}  // namespace parconv::cpu
