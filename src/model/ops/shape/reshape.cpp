// SPDX-License-Identifier: Apache-2.0
#include "model/ops/shape/reshape.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

Shape Rules<Reshape>::output_shape(const Reshape&, const OperandShapes& operands) {
  PARCONV_EXPECT(false, operands.node, ": the target of a Reshape does not follow from its input");
  return {};
}

Box Rules<Reshape>::needed_box(const Reshape& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  Box need = Box::whole(view.in(operand));
  if (!mixes_samples(op, view)) need[Axis::N] = work.computed[Axis::N];
  return need;
}

LocalKind Rules<Reshape>::localise(const Reshape&, const NodeView& view, const WorkRegion& work, const Box& need) {
  const Extents& in = view.in();
  const Extents& out = view.out();
  const bool keeps_samples = in[Axis::N] == out[Axis::N];
  const Box origin = keeps_samples ? Box::whole(out).with(Axis::N, work.computed[Axis::N]) : Box::whole(out);
  Extents src_shape = in;
  src_shape[Axis::N] = need[Axis::N].size();
  return LocalReshape{.src_shape = src_shape, .dst_shape = origin.extents(), .dst_offset = offset_in(work.computed, origin)};
}

}  // namespace parconv
