// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/box_copy.hpp"

namespace parconv::box_copy {
namespace {

/// Shorter rows use a kernel, whose threads move units of many rows concurrently.
constexpr std::size_t shortest_slab_row_bytes = 1024;

}  // namespace

std::size_t unit_bytes(const CopyLoops& loops, const std::byte* src, const std::byte* dst) {
  auto common = reinterpret_cast<std::uintptr_t>(src) | reinterpret_cast<std::uintptr_t>(dst) | loops.run_bytes;
  const auto add = [&](const Loop& loop) {
    if (loop.extent > 1) common |= static_cast<std::uintptr_t>(loop.src_stride) | static_cast<std::uintptr_t>(loop.dst_stride);
  };
  add(loops.runs);
  for (const Loop& loop : loops.outer.loops()) add(loop);
  std::size_t unit = 16;
  while (common % unit != 0) unit /= 2;
  return unit;
}

UnitLoops unit_loops(const CopyLoops& loops, std::size_t unit) {
  UnitLoops result{};
  std::size_t k = UnitLoops::most;
  const auto add = [&](const Loop& loop) {
    --k;
    result.extents[k] = Divisor(loop.extent);
    result.src_strides[k] = loop.src_stride;
    result.dst_strides[k] = loop.dst_stride;
    result.count *= loop.extent;
  };
  const auto step = static_cast<index_t>(unit);
  add({.extent = static_cast<index_t>(loops.run_bytes) / step, .src_stride = step, .dst_stride = step});
  add(loops.runs);
  const auto outer = loops.outer.loops();
  for (auto loop = outer.rbegin(); loop != outer.rend(); ++loop) add(*loop);
  return result;
}

bool is_slab(const CopyLoops& loops) {
  if (!loops.outer.loops().empty()) return false;
  const auto row = static_cast<index_t>(loops.run_bytes);
  const bool is_one_row = loops.runs.extent == 1;
  const bool has_long_rows = loops.run_bytes >= shortest_slab_row_bytes;
  return is_one_row || (has_long_rows && loops.runs.src_stride >= row && loops.runs.dst_stride >= row);
}

}  // namespace parconv::box_copy
