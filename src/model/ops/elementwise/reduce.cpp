// SPDX-License-Identifier: Apache-2.0
#include "model/ops/elementwise/reduce.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

std::string Rules<Reduction>::name(const Reduction& op) {
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
  return "Reduction";
}

Shape Rules<Reduction>::output_shape(const Reduction& op, const OperandShapes& operands) {
  Shape out = operands.only();
  if (op.count < 1 || (op.count > 1 && op.kind != ReduceKind::Sum))
    operands.refuse(concat("divides by ", op.count, ", but must divide a sum by at least 1, and others by 1"));
  for (Axis axis : all_axes)
    if (op.axes[static_cast<std::size_t>(axis)]) out.extents[axis] = 1;
  return out;
}

Box Rules<Reduction>::needed_box(const Reduction& op, const NodeView& view, std::size_t, const WorkRegion& work) {
  const std::array<bool, num_axes> contracted = contracted_axes(op, view);
  Box need = work.computed;
  for (Axis axis : all_axes) {
    const auto k = static_cast<std::size_t>(axis);
    if (op.axes[k] && !work.computed[axis].is_empty())
      need[axis] = contracted[k] ? work.contracted[axis] : Interval{0, view.in(0)[axis]};
  }
  return need;
}

std::array<bool, num_axes> Rules<Reduction>::contracted_axes(const Reduction& op, const NodeView&) {
  if (op.kind == ReduceKind::Product) return {};
  std::array<bool, num_axes> contracted = op.axes;
  contracted[static_cast<std::size_t>(Axis::N)] = false;  // samples are gathered
  return contracted;
}

}  // namespace parconv
