// SPDX-License-Identifier: Apache-2.0
#include "model/ops/window/lrn.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {

Shape Rules<Lrn>::output_shape(const Lrn& op, const OperandShapes& operands) {
  if (op.size < 1) operands.refuse(concat("size is ", op.size, ", but must be at least 1"));
  return operands.only();
}

Box Rules<Lrn>::needed_box(const Lrn& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
  const Interval own = work.computed[Axis::C];
  if (own.is_empty()) return work.computed;
  const index_t channels = view.in(operand)[Axis::C];
  const index_t size = std::min(op.size, 2 * channels + 1);
  const Interval around{own.lo - (size - 1) / 2, own.hi + size / 2};
  return work.computed.with(Axis::C, intersect(around, {0, channels}));
}

}  // namespace parconv
