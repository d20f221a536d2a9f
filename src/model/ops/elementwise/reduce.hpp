// SPDX-License-Identifier: Apache-2.0
// Reductions over axes: along w, ranks add up partial rows; other axes are gathered whole.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<RowSum> : PointwiseRules<RowSum> {
  static constexpr bool makes_f32 = true;
  static std::string name(const RowSum&) { return "RowSum"; }
  static Shape output_shape(const RowSum&, const OperandShapes& operands) {
    Shape out = operands.only();
    out.extents[Axis::W] = 1;
    return out;
  }
  static Box needed_box(const RowSum&, const NodeView&, std::size_t, const WorkRegion& work) {
    return work.computed.with(Axis::W, work.contracted[Axis::W]);
  }
  static std::array<bool, num_axes> contracted_axes(const RowSum&, const NodeView&) {
    std::array<bool, num_axes> result{};
    result[static_cast<std::size_t>(Axis::W)] = true;
    return result;
  }
  static LocalKind localise(const RowSum&, const NodeView&, const WorkRegion&, const Box&) { return LocalRowSum{}; }
};

template <>
struct Rules<ReduceAxes> : PointwiseRules<ReduceAxes> {
  static std::string name(const ReduceAxes& op);
  static Shape output_shape(const ReduceAxes& op, const OperandShapes& operands);
  static Box needed_box(const ReduceAxes& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static LocalKind localise(const ReduceAxes& op, const NodeView&, const WorkRegion&, const Box&) {
    return LocalReduce{.kind = op.kind, .axes = op.axes, .count = op.count};
  }
  static bool mixes_samples(const ReduceAxes& op, const NodeView&) { return op.axes[static_cast<std::size_t>(Axis::N)]; }
};

}  // namespace parconv
