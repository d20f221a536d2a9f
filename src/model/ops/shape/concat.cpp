// SPDX-License-Identifier: Apache-2.0
#include "model/ops/shape/concat.hpp"

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {

Shape Rules<Concat>::output_shape(const Concat& op, const OperandShapes& operands) {
  Shape out = operands.first();
  for (const Shape& operand : operands.shapes.subspan(1)) {
    for (Axis axis : all_axes)
      if (axis != op.axis && operand.extents[axis] != out.extents[axis])
        operands.refuse(concat("joins ", out.extents, " and ", operand.extents, " along ", name_of(op.axis),
                               ", which differ along ", name_of(axis)));
    out.extents[op.axis] = checked_add(out.extents[op.axis], operand.extents[op.axis], operands.node.c_str());
  }
  return out;
}

Box Rules<Concat>::needed_box(const Concat& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  Box need = work.computed;
  const index_t offset = concat_offset(view.network, view.node, operand);
  need[op.axis] = intersect(work.computed[op.axis].shifted(-offset), {0, view.in(operand)[op.axis]});
  return need;
}

LocalKind Rules<Concat>::localise(const Concat&, const NodeView& view, const WorkRegion&, const Box&) {
  PARCONV_EXPECT(false, view.node.name, ": a Concat only moves boxes");
  return LocalCopy{};
}

}  // namespace parconv
