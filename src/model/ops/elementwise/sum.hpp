// SPDX-License-Identifier: Apache-2.0
// Sum of any number of inputs, with broadcasting.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Sum> : PointwiseRules<Sum> {
  static std::string name(const Sum&) { return "Sum"; }
  static Shape output_shape(const Sum& op, const OperandShapes& operands);
  static Box needed_box(const Sum& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static LocalKind localise(const Sum&, const NodeView&, const WorkRegion&, const Box&) { return LocalSum{}; }
};

}  // namespace parconv
