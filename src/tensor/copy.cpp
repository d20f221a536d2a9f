// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "parconv/core/error.hpp"
#include "parconv/tensor/copy_loops.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {
namespace {

LoopNest byte_loops(const OperandLayout& src, const OperandLayout& dst) {
  const auto bytes = static_cast<index_t>(size_of(src.type));
  std::array<Loop, num_axes> loops;
  for (std::size_t k = 0; k < num_axes; ++k) {
    const Axis axis = memory_axes[k];
    loops[k] = {.extent = src.extents[axis], .src_stride = src.strides[axis] * bytes, .dst_stride = dst.strides[axis] * bytes};
  }
  return LoopNest(loops);
}

/// Bytes contiguous in both operands: the fastest loop if it is dense, else one element.
std::size_t take_run(LoopNest& nest, std::size_t element_bytes) {
  if (nest.loops().empty()) return element_bytes;
  const Loop fastest = nest.loops().back();
  const auto dense = static_cast<index_t>(element_bytes);
  if (fastest.src_stride != dense || fastest.dst_stride != dense) return element_bytes;
  nest.pop_fastest();
  return static_cast<std::size_t>(fastest.extent) * element_bytes;
}

/// With a compile-time size, memcpy becomes one or two moves.
template <std::size_t Bytes>
void copy_runs_of(const std::byte* src, std::byte* dst, const Loop& loop) {
  for (index_t i = 0; i < loop.extent; ++i) std::memcpy(dst + i * loop.dst_stride, src + i * loop.src_stride, Bytes);
}

void copy_runs(const std::byte* src, std::byte* dst, const Loop& loop, std::size_t run_bytes) {
  switch (run_bytes) {
    case 1:
      return copy_runs_of<1>(src, dst, loop);
    case 2:
      return copy_runs_of<2>(src, dst, loop);
    case 4:
      return copy_runs_of<4>(src, dst, loop);
    case 8:
      return copy_runs_of<8>(src, dst, loop);
    case 12:
      return copy_runs_of<12>(src, dst, loop);
    case 16:
      return copy_runs_of<16>(src, dst, loop);
    case 32:
      return copy_runs_of<32>(src, dst, loop);
    case 64:
      return copy_runs_of<64>(src, dst, loop);
    default:
      for (index_t i = 0; i < loop.extent; ++i) std::memcpy(dst + i * loop.dst_stride, src + i * loop.src_stride, run_bytes);
  }
}

OperandLayout packed_layout(const OperandLayout& layout) {
  const Box box = Box::whole(layout.extents);
  return layout_within(box, box, layout.type);
}

}  // namespace

CopyLoops copy_loops(const OperandLayout& src, const OperandLayout& dst) {
  LoopNest nest = byte_loops(src, dst);
  const std::size_t run_bytes = take_run(nest, size_of(src.type));
  const Loop runs = nest.pop_fastest();
  return {.outer = nest, .runs = runs, .run_bytes = run_bytes};
}

void copy(ConstView src, View dst) {
  PARCONV_EXPECT(src.layout.extents == dst.layout.extents, "src ", src.layout.extents, ", dst ", dst.layout.extents);
  PARCONV_EXPECT(src.layout.type == dst.layout.type, "src ", name_of(src.layout.type), ", dst ", name_of(dst.layout.type));
  if (volume(src.layout.extents) == 0) return;
  const CopyLoops loops = copy_loops(src.layout, dst.layout);
  loops.outer.for_each([&](index_t from, index_t to) { copy_runs(src.data + from, dst.data + to, loops.runs, loops.run_bytes); });
}

void pack(ConstView src, std::byte* packed) { copy(src, View{.data = packed, .layout = packed_layout(src.layout)}); }

void unpack(const std::byte* packed, View dst) { copy(ConstView{.data = packed, .layout = packed_layout(dst.layout)}, dst); }

}  // namespace parconv
