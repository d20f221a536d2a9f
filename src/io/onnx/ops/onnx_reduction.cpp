// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/ops/onnx_reduction.hpp"

#include "parconv/core/checked.hpp"

namespace parconv {

index_t elems_along(const Shape& in, const AxisSet& axes) {
  index_t elems = 1;
  for (Axis axis : all_axes)
    if (axes[static_cast<std::size_t>(axis)]) elems = checked_mul(elems, in.extents[axis], "elements of a mean");
  return elems;
}

Operator reduction(const Shape& in, ReduceKind kind, const AxisSet& axes, index_t count) {
  Reduction reduction{.kind = kind, .count = count};
  for (Axis axis : all_axes) {
    const auto k = static_cast<std::size_t>(axis);
    reduction.axes[k] = axes[k] && in.extents[axis] > 1;
  }
  if (reduction.axes == AxisSet{} && count == 1) return Elementwise{};
  return reduction;
}

ValueId add_mean(NodeReader& node, const char* suffix, ValueId x, const AxisSet& axes) {
  const Shape in = node.network().shape(x);
  return node.add_step(suffix, reduction(in, ReduceKind::Sum, axes, elems_along(in, axes)), {x});
}

}  // namespace parconv
