#include "model/ops/concat.hpp"

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {

Shape Rules<Concat>::output_shape(const Concat&, const OperandShapes& operands) {
  Shape out = operands.first();
  for (const Shape& operand : operands.shapes.subspan(1)) {
    for (Axis axis : all_axes)
      if (axis != Axis::C && operand.extents[axis] != out.extents[axis])
        operands.refuse(
            concat("joins channels of ", out.extents, " and ", operand.extents, ", which differ along ", name_of(axis)));
    out.extents[Axis::C] = checked_add(out.extents[Axis::C], operand.extents[Axis::C], operands.node.c_str());
  }
  return out;
}

Box Rules<Concat>::needed_box(const Concat&, const NodeView& view, std::size_t operand, const Share& share) {
  Box need = share.computed;
  const index_t offset = concat_offset(view.network, view.node, operand);
  need[Axis::C] = intersect(share.computed[Axis::C].shifted(-offset), {0, view.in(operand)[Axis::C]});
  return need;
}

LocalKind Rules<Concat>::localise(const Concat&, const NodeView& view, const Share&, const Box&) {
  PARCONV_EXPECT(false, view.node.name, ": a Concat only moves boxes");
  return LocalCopy{};
}

}  // namespace parconv
