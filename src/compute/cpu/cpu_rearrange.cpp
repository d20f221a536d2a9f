// SPDX-License-Identifier: Apache-2.0
// Rearrange: the source offset of an element is a sum of one offset per axis of the result.
#include <algorithm>

#include "compute/cpu/cpu_kernels.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/rearrangement.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv::cpu {
namespace {

/// Pixels per tile where source channels are strided, so that each cache line is read once.
constexpr index_t tile = 16;

/// Channels [begin, begin + count) at a constant stride in the source, the first at `offset`.
struct Run {
  index_t begin = 0;
  index_t count = 0;
  index_t offset = 0;
};

class RearrangeKernel final : public RowKernel {
 public:
  explicit RearrangeKernel(const LocalOp& op) : RowKernel(op), rearrange_(std::get<LocalRearrange>(op.kind)) {
    check_source();
    for (Axis axis : all_axes) origin_ -= rearrange_.src_offset[axis] * source().strides[axis];
    for (index_t w = 0; w < shape().pixels; ++w) pixels_.push_back(offset_at(Axis::W, w));
    add_runs();
  }

  std::size_t resident_bytes() const override {
    return RowKernel::resident_bytes() + pixels_.size() * sizeof(index_t) + runs_.size() * sizeof(Run);
  }

 private:
  const OperandLayout& source() const { return op().srcs[main_index(op())]; }
  const std::vector<IndexDigit>& digits(Axis axis) const { return rearrange_.digits[static_cast<std::size_t>(axis)]; }

  void check_source() const {
    Box out, in;
    for (Axis axis : all_axes) {
      out[axis] = Interval{0, op().dst.extents[axis]}.shifted(rearrange_.dst_offset[axis]);
      in[axis] = Interval{0, source().extents[axis]}.shifted(rearrange_.src_offset[axis]);
    }
    PARCONV_EXPECT(in.contains(sources_of(rearrange_.digits, out)), "reads ", sources_of(rearrange_.digits, out), " of ", in);
  }

  /// The source offset, in elements, that index `at` along an axis of the result contributes.
  index_t offset_at(Axis axis, index_t at) const {
    index_t offset = 0;
    for (const IndexDigit& digit : digits(axis)) {
      const index_t value = (at + rearrange_.dst_offset[axis]) / digit.dst_stride % digit.size;
      offset += value * digit.src_stride * source().strides[digit.src];
    }
    return offset;
  }

  /// The fastest digit of the channel index has a constant stride; a run ends where it wraps.
  void add_runs() {
    const bool has_digits = !digits(Axis::C).empty();
    const index_t size = has_digits ? digits(Axis::C).back().size : 1;
    if (has_digits) step_ = digits(Axis::C).back().src_stride * source().strides[digits(Axis::C).back().src];
    for (index_t c = 0; c < shape().channels;) {
      const index_t count = std::min(size - (c + rearrange_.dst_offset[Axis::C]) % size, shape().channels - c);
      runs_.push_back({.begin = c, .count = count, .offset = offset_at(Axis::C, c)});
      c += count;
    }
  }

  void make_row(Sources srcs, const RowIndex& row, Row dst) override {
    const index_t first = origin_ + offset_at(Axis::N, row.n) + offset_at(Axis::D, row.d) + offset_at(Axis::H, row.h);
    const std::byte* const src = srcs[main_index(op())];
    if (source().type == DType::F16) return make_from<element_types::F16>(src, first, dst);
    if (source().type == DType::BF16) return make_from<element_types::BF16>(src, first, dst);
    make_from<element_types::F32>(src, first, dst);
  }

  /// A row of elements of `Type` at `src`, of which `first` has source index 0.
  template <class Type>
  void make_from(const std::byte* src, index_t first, Row dst) const {
    const auto* const elements = reinterpret_cast<const typename Type::Bits*>(src) + first;
    if (step_ == 1) return copy_runs<Type>(elements, dst);
    for (index_t w = 0; w < shape().pixels; w += tile) gather_tile<Type>(elements, dst, {w, std::min(w + tile, shape().pixels)});
  }

  template <class Type>
  void copy_runs(const typename Type::Bits* src, Row dst) const {
    for (index_t w = 0; w < shape().pixels; ++w)
      for (const Run& run : runs_) {
        const auto* const from = src + pixels_[static_cast<std::size_t>(w)] + run.offset;
        std::transform(from, from + run.count, dst.data + w * dst.pitch + run.begin, Type::number);
      }
  }

  template <class Type>
  void gather_tile(const typename Type::Bits* src, Row dst, Interval pixels) const {
    for (const Run& run : runs_)
      for (index_t k = 0; k < run.count; ++k) {
        const auto* const channel = src + run.offset + k * step_;
        float* const out = dst.data + run.begin + k;
        for (index_t w = pixels.lo; w < pixels.hi; ++w)
          out[w * dst.pitch] = Type::number(channel[pixels_[static_cast<std::size_t>(w)]]);
      }
  }

  LocalRearrange rearrange_;
  index_t origin_ = 0;             ///< of source index 0, from the operand's first element
  index_t step_ = 1;               ///< between channels of a run
  std::vector<index_t> pixels_{};  ///< offset of each pixel of a row
  std::vector<Run> runs_{};
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalRearrange&, const LocalOp& op) { return std::make_unique<RearrangeKernel>(op); }

}  // namespace parconv::cpu
