// SPDX-License-Identifier: Apache-2.0
// Operators that work element by element on one input.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Elementwise> : PointwiseRules<Elementwise> {
  static std::string name(const Elementwise&) { return "Elementwise"; }
  static LocalKind localise(const Elementwise&, const NodeView&, const WorkRegion&, const Box&) { return LocalCopy{}; }
};

template <>
struct Rules<ScaleShift> : PointwiseRules<ScaleShift> {
  static std::string name(const ScaleShift&) { return "ScaleShift"; }
  static Shape output_shape(const ScaleShift& op, const OperandShapes& operands) {
    const Shape& in = operands.only();
    operands.check_count("scales", op.scale.size(), in.extents[Axis::C]);
    operands.check_count("shifts", op.shift.size(), in.extents[Axis::C]);
    return in;
  }
  static LocalKind localise(const ScaleShift& op, const NodeView&, const WorkRegion& work, const Box&) {
    const Interval channels = work.computed[Axis::C];
    return LocalScaleShift{channel_slice(op.scale, channels), channel_slice(op.shift, channels)};
  }
};

}  // namespace parconv
