// SPDX-License-Identifier: Apache-2.0
#include "model/ops/elementwise/binary.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

std::string Rules<Binary>::name(const Binary& op) {
  switch (op.kind) {
    case BinaryKind::Mul:
      return "Mul";
    case BinaryKind::Sub:
      return "Sub";
    case BinaryKind::Div:
      return "Div";
    case BinaryKind::Max:
      return "Max";
    case BinaryKind::Min:
      return "Min";
    case BinaryKind::PRelu:
      return "PRelu";
    case BinaryKind::Pow:
      return "Pow";
    case BinaryKind::Equal:
      return "Equal";
    case BinaryKind::Greater:
      return "Greater";
    case BinaryKind::GreaterOrEqual:
      return "GreaterOrEqual";
    case BinaryKind::Reaches:
      return "Reaches";
    case BinaryKind::Keep:
      return "Keep";
    case BinaryKind::Drop:
      return "Drop";
  }
  return "Binary";
}

Shape Rules<Binary>::output_shape(const Binary&, const OperandShapes& operands) {
  if (operands.shapes.size() != 2) operands.refuse(concat("has ", operands.shapes.size(), " inputs, expected 2"));
  return Rules<Sum>::output_shape({}, operands);
}

}  // namespace parconv
