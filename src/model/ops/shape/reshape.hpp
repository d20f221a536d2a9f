// SPDX-License-Identifier: Apache-2.0
// Reshape without common factors: the same elements in ONNX order. Needs whole samples.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Reshape> : PointwiseRules<Reshape> {
  static std::string name(const Reshape&) { return "Reshape"; }
  /// The target shape does not follow from the input's.
  static Shape output_shape(const Reshape& op, const OperandShapes& operands);
  /// Whole samples, or everything if samples are mixed.
  static Box needed_box(const Reshape& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static LocalKind localise(const Reshape& op, const NodeView& view, const WorkRegion& work, const Box& need);
  static bool mixes_samples(const Reshape&, const NodeView& view) { return view.in()[Axis::N] != view.out()[Axis::N]; }
};

}  // namespace parconv
