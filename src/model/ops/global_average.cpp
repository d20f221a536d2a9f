#include "model/ops/global_average.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

Shape Rules<RowsMean>::output_shape(const RowsMean& op, const OperandShapes& operands) {
  Shape out = operands.only();
  if (op.count < 1) operands.refuse(concat("divides by ", op.count, ", but must divide by at least 1"));
  out.extents[Axis::D] = 1;
  out.extents[Axis::H] = 1;
  return out;
}

}  // namespace parconv
