// Functions of two inputs with broadcasting: the shapes of a Sum of two.
#pragma once

#include "model/ops/sum.hpp"

namespace parconv {

template <>
struct Rules<Binary> : PointwiseRules<Binary> {
  static std::string name(const Binary& op);
  static Shape output_shape(const Binary& op, const OperandShapes& operands);
  static Box needed_box(const Binary&, const NodeView& view, std::size_t operand, const Share& share) {
    return Rules<Sum>::needed_box({}, view, operand, share);
  }
  static LocalKind localise(const Binary& op, const NodeView&, const Share&, const Box&) { return LocalBinary{op.kind}; }
};

}  // namespace parconv
