// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/ops/onnx_reduction.hpp"

#include "parconv/core/checked.hpp"

namespace parconv {
namespace {

/// Sum over all channels, as a convolution with one output channel and weights 1.
Conv sum_of_channels(index_t channels) {
  Conv conv;
  conv.filter = {.data = {.is_fill = true, .fill = 1.0F, .count = channels},
                 .oc = 1,
                 .ic_per_group = channels,
                 .strides = {channels, 1, 1, 1, 1}};
  return conv;
}

}  // namespace

index_t elems_along(const Shape& in, const AxisSet& axes) {
  index_t elems = 1;
  for (Axis axis : all_axes)
    if (axes[static_cast<std::size_t>(axis)]) elems = checked_mul(elems, in.extents[axis], "elements of a mean");
  return elems;
}

std::vector<Operator> reduction_steps(const Shape& in, ReduceKind kind, const AxisSet& axes, index_t count) {
  const auto is_reduced = [&](Axis axis) { return axes[static_cast<std::size_t>(axis)] && in.extents[axis] > 1; };
  std::vector<Operator> steps;
  ReduceAxes rows{.kind = kind, .count = count};
  for (Axis axis : {Axis::N, Axis::D, Axis::H}) rows.axes[static_cast<std::size_t>(axis)] = is_reduced(axis);
  if (kind == ReduceKind::Sum) {
    if (is_reduced(Axis::W)) steps.push_back(RowSum{});
    if (is_reduced(Axis::C)) steps.push_back(sum_of_channels(in.extents[Axis::C]));
  } else if (is_reduced(Axis::W) || is_reduced(Axis::C)) {
    steps.push_back(ReduceAxes{.kind = kind, .axes = {false, is_reduced(Axis::C), false, false, is_reduced(Axis::W)}});
  }
  if (rows.axes != AxisSet{} || count != 1) steps.push_back(rows);
  return steps;
}

ValueId add_steps(NodeReader& node, const char* suffix, ValueId x, std::vector<Operator> steps, Epilogue epilogue) {
  if (steps.empty()) steps.push_back(Elementwise{});
  Operator last = std::move(steps.back());
  steps.pop_back();
  for (Operator& step : steps) x = node.add_step(suffix, std::move(step), {x}, {});
  return node.add_step(suffix, std::move(last), {x}, std::move(epilogue));
}

void make_steps(NodeReader& node, ValueId x, std::vector<Operator> steps, Epilogue epilogue) {
  if (steps.empty()) steps.push_back(Elementwise{});
  Operator last = std::move(steps.back());
  steps.pop_back();
  if (!steps.empty()) x = add_steps(node, "rows", x, std::move(steps));
  node.make(std::move(last), {x}, std::move(epilogue));
}

ValueId add_mean(NodeReader& node, const char* suffix, ValueId x, const AxisSet& axes) {
  const Shape in = node.network().shape(x);
  return add_steps(node, suffix, x, reduction_steps(in, ReduceKind::Sum, axes, elems_along(in, axes)));
}

}  // namespace parconv
