// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/vector_width.hpp"

namespace parconv {
namespace {

/// True if every place whose channel is a multiple of `width` is a multiple of `width` from the first element.
bool steps_by(const OperandLayout& layout, int width) {
  return layout.extents[Axis::C] % width == 0 && std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) {
           return axis == Axis::C || layout.extents[axis] == 1 || layout.strides[axis] % width == 0;
         });
}

bool fits_vectors(const OperandLayout& layout, int width) { return layout.extents[Axis::C] == 1 || steps_by(layout, width); }

}  // namespace

int widest_vector(const OperandLayout& dst, std::span<const OperandLayout> srcs) {
  const auto is_half = [](const OperandLayout& layout) { return size_of(layout.type) == 2; };
  const int width = is_half(dst) || std::any_of(srcs.begin(), srcs.end(), is_half) ? 8 : 4;
  const auto fits = [&](const OperandLayout& src) { return fits_vectors(src, width); };
  return steps_by(dst, width) && std::all_of(srcs.begin(), srcs.end(), fits) ? width : 1;
}

bool is_aligned(const std::byte* data, const OperandLayout& layout, int width) {
  if (layout.extents[Axis::C] == 1) return true;
  return reinterpret_cast<std::uintptr_t>(data) % vector_alignment(width, size_of(layout.type)) == 0;
}

}  // namespace parconv
