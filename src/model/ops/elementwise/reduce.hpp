// SPDX-License-Identifier: Apache-2.0
// Reductions over axes: ranks reduce their parts, and the owner reduces the partial results.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Reduction> : PointwiseRules<Reduction> {
  static bool makes_f32(const Reduction&) { return true; }
  static std::string name(const Reduction& op);
  static Shape output_shape(const Reduction& op, const OperandShapes& operands);
  static Box needed_box(const Reduction& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static std::array<bool, num_axes> contracted_axes(const Reduction& op, const NodeView&);
  static LocalKind localise(const Reduction& op, const NodeView&, const WorkRegion&, const Box&) {
    return LocalReduce{.kind = op.kind, .axes = op.axes, .count = op.count};
  }
  static bool mixes_samples(const Reduction& op, const NodeView&) { return op.axes[static_cast<std::size_t>(Axis::N)]; }
};

}  // namespace parconv
