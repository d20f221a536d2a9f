// SPDX-License-Identifier: Apache-2.0
// Rearrange: every output is one input at another index. An output index has digits, each of which counts along one input axis.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Rearrange> : PointwiseRules<Rearrange> {
  static std::string name(const Rearrange&) { return "Rearrange"; }
  static Shape output_shape(const Rearrange& op, const OperandShapes& operands);
  static Box needed_box(const Rearrange& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  /// The slowest digit of an input axis determines the needed part.
  static std::array<Axis, num_axes> work_axes(const Rearrange& op, const NodeView& view);
  static LocalKind localise(const Rearrange& op, const NodeView& view, const WorkRegion& work, const Box& need);
  /// Samples stay apart if n is a factor of its own that stays in front.
  static bool mixes_samples(const Rearrange& op, const NodeView& view);
  /// Precondition: samples stay apart.
  static void rebatch(Rearrange& op, index_t n);
};

}  // namespace parconv
