#include "device/lanes.hpp"

namespace parconv {
namespace {

/// True if every place whose channel is a multiple of `lanes` is a multiple of `lanes` from the first element.
bool steps_by(const OperandLayout& layout, int lanes) {
  return layout.extents[Axis::C] % lanes == 0 && std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) {
           return axis == Axis::C || layout.extents[axis] == 1 || layout.strides[axis] % lanes == 0;
         });
}

bool fits_lanes(const OperandLayout& layout, int lanes) { return layout.extents[Axis::C] == 1 || steps_by(layout, lanes); }

}  // namespace

int widest_lanes(const OperandLayout& dst, std::span<const OperandLayout> srcs) {
  const auto is_half = [](const OperandLayout& layout) { return size_of(layout.type) == 2; };
  const int lanes = is_half(dst) || std::any_of(srcs.begin(), srcs.end(), is_half) ? 8 : 4;
  const auto fits = [&](const OperandLayout& src) { return fits_lanes(src, lanes); };
  return steps_by(dst, lanes) && std::all_of(srcs.begin(), srcs.end(), fits) ? lanes : 1;
}

bool is_aligned(const std::byte* data, const OperandLayout& layout, int lanes) {
  if (layout.extents[Axis::C] == 1) return true;
  return reinterpret_cast<std::uintptr_t>(data) % alignment_of_lanes(lanes, size_of(layout.type)) == 0;
}

}  // namespace parconv
