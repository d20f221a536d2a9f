// SPDX-License-Identifier: Apache-2.0
// Concat along an axis: only moves boxes.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Concat> : PointwiseRules<Concat> {
  static constexpr bool reads_activations = true;
  static std::string name(const Concat&) { return "Concat"; }
  static Shape output_shape(const Concat& op, const OperandShapes& operands);
  static Box needed_box(const Concat& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static bool mixes_samples(const Concat& op, const NodeView&) { return op.axis == Axis::N; }
  static LocalKind localise(const Concat& op, const NodeView& view, const WorkRegion& work, const Box& need);
};

}  // namespace parconv
