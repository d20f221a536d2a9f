// Reshape where the dimensions have no common factors: the same elements in ONNX order; whole samples are needed.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Reshape> : PointwiseRules<Reshape> {
  static std::string name(const Reshape&) { return "Reshape"; }
  /// The target does not follow from the input.
  static Shape output_shape(const Reshape& op, const OperandShapes& operands);
  /// Whole samples, or everything if samples are not kept apart.
  static Box needed_box(const Reshape& op, const NodeView& view, std::size_t operand, const Share& share);
  static LocalKind localise(const Reshape& op, const NodeView& view, const Share& share, const Box& need);
  static bool mixes_samples(const Reshape&, const NodeView& view) { return view.in()[Axis::N] != view.out()[Axis::N]; }
};

}  // namespace parconv
