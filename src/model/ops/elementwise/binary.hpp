// SPDX-License-Identifier: Apache-2.0
// Functions of two inputs with broadcasting; shapes are those of a Sum of two.
#pragma once

#include "model/ops/elementwise/sum.hpp"

namespace parconv {

template <>
struct Rules<Binary> : PointwiseRules<Binary> {
  static std::string name(const Binary& op);
  /// What is calculated from it may be indices, which need all bits of an f32.
  static bool makes_f32(const Binary& op) { return op.kind == BinaryKind::Reaches; }
  static Shape output_shape(const Binary& op, const OperandShapes& operands);
  static Box needed_box(const Binary&, const NodeView& view, std::size_t operand, const WorkRegion& work) {
    return Rules<Sum>::needed_box({}, view, operand, work);
  }
  static LocalKind localise(const Binary& op, const NodeView&, const WorkRegion&, const Box&) { return LocalBinary{op.kind}; }
};

}  // namespace parconv
