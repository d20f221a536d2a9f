// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/copy.hpp"

#include <cstring>
#include <functional>

#include "parconv/core/error.hpp"
#include "parconv/tensor/copy_loops.hpp"

namespace parconv {
namespace {

/// Iterations per thread below which an inner loop is divided instead: the parts then differ by at most an eighth.
constexpr index_t least_units = 8;

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

/// What one thread copies: a part of the outer iterations, of the runs in each, or of the bytes in each run.
struct Part {
  Interval outer{};
  Interval runs{};
  Interval bytes{};
};

Part part_of(const CopyLoops& loops, int thread, int threads) {
  Part part{
      .outer = {0, loops.outer.count()}, .runs = {0, loops.runs.extent}, .bytes = {0, static_cast<index_t>(loops.run_bytes)}};
  Interval* const divided = part.outer.hi >= least_units * threads  ? &part.outer
                            : part.runs.hi >= least_units * threads ? &part.runs
                                                                    : &part.bytes;
  *divided = equal_part(divided->hi, thread, threads);
  return part;
}

void copy_part(const std::byte* src, std::byte* dst, const CopyLoops& loops, const Part& part) {
  const index_t src_offset = part.runs.lo * loops.runs.src_stride + part.bytes.lo;
  const index_t dst_offset = part.runs.lo * loops.runs.dst_stride + part.bytes.lo;
  const Loop runs{.extent = part.runs.size(), .src_stride = loops.runs.src_stride, .dst_stride = loops.runs.dst_stride};
  copy_runs(src + src_offset, dst + dst_offset, runs, static_cast<std::size_t>(part.bytes.size()));
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

void copy(ConstView src, View dst, const ThreadShare& threads) {
  PARCONV_EXPECT(src.layout.extents == dst.layout.extents, "src ", src.layout.extents, ", dst ", dst.layout.extents);
  PARCONV_EXPECT(src.layout.type == dst.layout.type, "src ", name_of(src.layout.type), ", dst ", name_of(dst.layout.type));
  const index_t elems = volume(src.layout.extents);
  if (elems == 0) return;
  const CopyLoops loops = copy_loops(src.layout, dst.layout);
  const auto bytes = elems * static_cast<index_t>(size_of(src.layout.type));
  const int used = threads_for(bytes, bytes / index_t{sizeof(float)}, threads);
  const auto work = [&](int thread) {
    const Part part = part_of(loops, thread, used);
    loops.outer.for_each(part.outer, [&](index_t from, index_t to) { copy_part(src.data + from, dst.data + to, loops, part); });
  };
  on_threads(used, std::cref(work));
}

void pack(ConstView src, std::byte* packed, const ThreadShare& threads) {
  copy(src, View{.data = packed, .layout = packed_layout(src.layout)}, threads);
}

void unpack(const std::byte* packed, View dst, const ThreadShare& threads) {
  copy(ConstView{.data = packed, .layout = packed_layout(dst.layout)}, dst, threads);
}

void copy(ConstView src, View dst) { copy(src, dst, ThreadShare{}); }
void pack(ConstView src, std::byte* packed) { pack(src, packed, ThreadShare{}); }
void unpack(const std::byte* packed, View dst) { unpack(packed, dst, ThreadShare{}); }

}  // namespace parconv
