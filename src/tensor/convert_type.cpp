// SPDX-License-Identifier: Apache-2.0
// Conversion between activation types.
#include <array>
#include <cstring>
#include <functional>

#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/copy.hpp"
#include "parconv/tensor/loops.hpp"
#include "tensor/number_rows.hpp"

namespace parconv {
namespace {

constexpr index_t chunk_elems = 256;
constexpr index_t most_bytes = 4;  // of an element
using ChunkBytes = std::array<std::byte, chunk_elems * most_bytes>;

/// Iterations per thread below which the fastest loop is divided instead of the outer ones.
constexpr index_t least_units = 8;

/// Loops in elements.
LoopNest element_loops(const OperandLayout& src, const OperandLayout& dst) {
  std::array<Loop, num_axes> loops;
  for (std::size_t k = 0; k < num_axes; ++k) {
    const Axis axis = memory_axes[k];
    loops[k] = {.extent = src.extents[axis], .src_stride = src.strides[axis], .dst_stride = dst.strides[axis]};
  }
  return LoopNest(loops);
}

/// Elements `stride_bytes` apart.
template <class Byte>
struct Elements {
  Byte* first = nullptr;
  index_t stride_bytes = 0;
  index_t elem_bytes = 4;

  bool are_contiguous() const { return stride_bytes == elem_bytes; }
  Byte* at(index_t k) const { return first + k * stride_bytes; }
};

/// The elements [chunk.lo, chunk.hi) as a contiguous row, gathered if they are apart.
const std::byte* row_of(const Elements<const std::byte>& src, Interval chunk, ChunkBytes& gathered) {
  if (src.are_contiguous()) return src.at(chunk.lo);
  for (index_t k = chunk.lo; k < chunk.hi; ++k)
    std::memcpy(gathered.data() + (k - chunk.lo) * src.elem_bytes, src.at(k), static_cast<std::size_t>(src.elem_bytes));
  return gathered.data();
}

class TypeConversion {
 public:
  TypeConversion(ConstView src, View dst) : src_(src), dst_(dst), nest_(element_loops(src.layout, dst.layout)) {
    fastest_ = nest_.pop_fastest();
  }

  void run(const ThreadShare& threads) const {
    const index_t elems = nest_.count() * fastest_.extent;
    const int used = threads_for(elems, elems, threads);
    const auto work = [&](int thread) {
      Interval outer{0, nest_.count()}, inner{0, fastest_.extent};
      Interval& divided = outer.hi >= least_units * used ? outer : inner;
      divided = equal_part(divided.hi, thread, used);
      nest_.for_each(outer, [&](index_t src_elem, index_t dst_elem) { convert_loop(src_elem, dst_elem, inner); });
    };
    on_threads(used, std::cref(work));
  }

 private:
  void convert_loop(index_t src_elem, index_t dst_elem, Interval inner) const {
    const index_t src_bytes = static_cast<index_t>(size_of(src_.layout.type)),
                  dst_bytes = static_cast<index_t>(size_of(dst_.layout.type));
    const Elements<const std::byte> src{src_.data + src_elem * src_bytes, fastest_.src_stride * src_bytes, src_bytes};
    const Elements<std::byte> dst{dst_.data + dst_elem * dst_bytes, fastest_.dst_stride * dst_bytes, dst_bytes};
    for (index_t k = inner.lo; k < inner.hi; k += chunk_elems) convert_chunk(src, dst, {k, std::min(k + chunk_elems, inner.hi)});
  }

  void convert_chunk(const Elements<const std::byte>& src, const Elements<std::byte>& dst, Interval chunk) const {
    alignas(float) ChunkBytes gathered, results;
    const std::byte* const row = row_of(src, chunk, gathered);
    std::byte* const to = dst.are_contiguous() ? dst.at(chunk.lo) : results.data();
    convert_row(row, to, chunk.size());
    if (dst.are_contiguous()) return;
    for (index_t k = chunk.lo; k < chunk.hi; ++k)
      std::memcpy(dst.at(k), results.data() + (k - chunk.lo) * dst.elem_bytes, static_cast<std::size_t>(dst.elem_bytes));
  }

  /// One of the types is f32, whose rows are numbers as they are.
  void convert_row(const std::byte* src, std::byte* dst, index_t count) const {
    const auto size = static_cast<std::size_t>(count);
    if (dst_.layout.type == DType::F32) return floats_from_row(src, src_.layout.type, {reinterpret_cast<float*>(dst), size});
    row_from_floats({reinterpret_cast<const float*>(src), size}, dst_.layout.type, dst);
  }

  ConstView src_;
  View dst_;
  LoopNest nest_;
  Loop fastest_{};
};

}  // namespace

void convert(ConstView src, View dst, const ThreadShare& threads) {
  const DType from = src.layout.type, to = dst.layout.type;
  if (from == to) return copy(src, dst, threads);
  PARCONV_EXPECT(src.layout.extents == dst.layout.extents, "src ", src.layout.extents, ", dst ", dst.layout.extents);
  const bool has_float = from == DType::F32 || to == DType::F32;
  PARCONV_EXPECT(has_float && is_activation_type(from) && is_activation_type(to), "src ", name_of(from), ", dst ", name_of(to));
  if (volume(src.layout.extents) > 0) TypeConversion(src, dst).run(threads);
}

}  // namespace parconv
