// SPDX-License-Identifier: Apache-2.0
// MaxPool and AveragePool.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Pool> : PointwiseRules<Pool> {
  static std::string name(const Pool& op) { return op.kind == PoolKind::Max ? "MaxPool" : "AveragePool"; }
  static Shape output_shape(const Pool& op, const OperandShapes& operands) { return slide(op.window, operands.only(), operands); }
  static Box needed_box(const Pool& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
    return needed_by_window(op.window, view.in(operand), work, work.computed[Axis::C]);
  }
  static LocalKind localise(const Pool& op, const NodeView& view, const WorkRegion& work, const Box& need);
  static double flops(const Pool& op, const NodeView&, const WorkRegion& work) {
    return static_cast<double>(volume(work.computed)) * taps_per_output(op.window);
  }
};

}  // namespace parconv
