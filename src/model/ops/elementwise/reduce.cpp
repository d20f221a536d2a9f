// SPDX-License-Identifier: Apache-2.0
#include "model/ops/elementwise/reduce.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

std::string Rules<ReduceAxes>::name(const ReduceAxes& op) {
  switch (op.kind) {
    case ReduceKind::Sum:
      return op.count == 1 ? "ReduceSum" : "ReduceMean";
    case ReduceKind::Max:
      return "ReduceMax";
    case ReduceKind::Min:
      return "ReduceMin";
    case ReduceKind::Product:
      return "ReduceProd";
  }
  return "Reduce";
}

Shape Rules<ReduceAxes>::output_shape(const ReduceAxes& op, const OperandShapes& operands) {
  Shape out = operands.only();
  if (op.count < 1) operands.refuse(concat("divides by ", op.count, ", but must divide by at least 1"));
  for (Axis axis : all_axes)
    if (op.axes[static_cast<std::size_t>(axis)]) out.extents[axis] = 1;
  return out;
}

Box Rules<ReduceAxes>::needed_box(const ReduceAxes& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  Box need = work.computed;
  for (Axis axis : all_axes)
    if (op.axes[static_cast<std::size_t>(axis)] && !work.computed[axis].is_empty()) need[axis] = {0, view.in(operand)[axis]};
  return need;
}

}  // namespace parconv
