// SPDX-License-Identifier: Apache-2.0
#include "model/ops/elementwise/sum.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {

namespace {

/// "[2, 3, 4]".
std::string text_of(const Shape& shape) {
  std::string text;
  for (const index_t dim : dims_of(shape)) text += concat(text.empty() ? "[" : ", ", dim);
  return text + "]";
}

}  // namespace

Shape Rules<Sum>::output_shape(const Sum&, const OperandShapes& operands) {
  Shape out = operands.first();
  for (const Shape& operand : operands.shapes) {
    out.ndims = std::max(out.ndims, operand.ndims);
    for (Axis axis : all_axes) {
      index_t& extent = out.extents[axis];
      const index_t other = operand.extents[axis];
      if (extent != other && extent != 1 && other != 1)
        operands.refuse(
            concat("inputs of ", text_of(operands.first()), " and ", text_of(operand), " differ along ", name_of(axis)));
      if (extent == 1) extent = other;
    }
  }
  return out;
}

/// Along an axis of extent 1, the only element is needed.
Box Rules<Sum>::needed_box(const Sum&, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  Box need;
  for (Axis axis : all_axes) {
    const bool is_broadcast = view.in(operand)[axis] == 1 && !work.computed[axis].is_empty();
    need[axis] = is_broadcast ? Interval{0, 1} : work.computed[axis];
  }
  return need;
}

}  // namespace parconv
