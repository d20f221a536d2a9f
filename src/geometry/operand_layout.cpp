// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/operand_layout.hpp"

#include <algorithm>
#include <span>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Strides in elements of a dense channels-last buffer.
Extents dense_strides(const Extents& extents) {
  Extents strides;
  index_t stride = 1;
  for (auto axis = memory_axes.rbegin(); axis != memory_axes.rend(); ++axis) {
    strides[*axis] = stride;
    stride *= extents[*axis];
  }
  return strides;
}

/// Axes of extent 1 may have any stride, since it is never applied.
bool is_dense_along(const OperandLayout& layout, std::span<const Axis> axes) {
  if (volume(layout.extents) == 0) return true;
  const Extents dense = dense_strides(layout.extents);
  return std::all_of(axes.begin(), axes.end(),
                     [&](Axis axis) { return layout.extents[axis] == 1 || layout.strides[axis] == dense[axis]; });
}

}  // namespace

OperandLayout layout_within(const Box& inner, const Box& outer, DType type) {
  PARCONV_EXPECT(outer.contains(inner), "inner ", inner, ", outer ", outer);
  return {.extents = inner.extents(), .strides = dense_strides(outer.extents()), .type = type};
}

index_t offset_within(const Box& inner, const Box& outer) {
  PARCONV_EXPECT(outer.contains(inner), "inner ", inner, ", outer ", outer);
  if (inner.is_empty()) return 0;
  const Extents strides = dense_strides(outer.extents());
  index_t offset = 0;
  for (Axis axis : all_axes) offset += (inner[axis].lo - outer[axis].lo) * strides[axis];
  return offset;
}

bool is_dense(const OperandLayout& layout) { return is_dense_along(layout, memory_axes); }

bool is_dense_per_sample(const OperandLayout& layout) { return is_dense_along(layout, std::span(memory_axes).subspan(1)); }

}  // namespace parconv
