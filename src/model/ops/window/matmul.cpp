// SPDX-License-Identifier: Apache-2.0
#include "model/ops/window/matmul.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {

Shape Rules<MatMul>::output_shape(const MatMul& op, const OperandShapes& operands) {
  if (operands.shapes.size() != 2) operands.refuse(concat("has ", operands.shapes.size(), " inputs, expected 2"));
  const Extents& a = operands.shapes[0].extents;
  const Extents& b = operands.shapes[1].extents;
  if (a[op.columns] != b[op.rows])
    operands.refuse(concat("multiplies ", a[op.columns], " columns with a matrix of ", b[op.rows], " rows"));
  Shape out{.extents = a, .ndims = std::max(operands.shapes[0].ndims, operands.shapes[1].ndims)};
  for (Axis axis : all_axes) {
    if (axis == op.rows || axis == op.columns) continue;
    if (a[axis] != b[axis] && a[axis] != 1 && b[axis] != 1)
      operands.refuse(concat("matrices of ", a, " and ", b, " differ along ", parconv::name_of(axis)));
    out.extents[axis] = std::max(a[axis], b[axis]);
  }
  out.extents[op.columns] = b[op.columns];
  return out;
}

Box Rules<MatMul>::needed_box(const MatMul& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  const Axis inner = operand == 0 ? op.columns : op.rows;
  Box need;
  for (Axis axis : all_axes) {
    const bool is_matrix = axis == op.rows || axis == op.columns;
    const bool is_whole = axis == inner || (!is_matrix && view.in(operand)[axis] == 1);
    need[axis] = is_whole && !work.computed[axis].is_empty() ? Interval{0, view.in(operand)[axis]} : work.computed[axis];
  }
  return need;
}

}  // namespace parconv
