#include "compute/reference_kinds.hpp"

namespace parconv {
namespace {

/// Index 0 along the axes of extent 1 that are neither rows nor columns.
Index in_operand(const Source& src, const LocalMatMul& product, Index at) {
  for (Axis axis : all_axes)
    if (axis != product.rows && axis != product.columns && src.extents()[axis] == 1) at[axis] = 0;
  return at;
}

}  // namespace

void compute(const LocalMatMul& product, const ReferenceCall& call) {
  const Source a = call.operand(0), b = call.operand(1);
  call.store_each([&](const Index& at) {
    Index left = in_operand(a, product, at), right = in_operand(b, product, at);
    float sum = 0;
    for (index_t k = 0; k < a.extents()[product.columns]; ++k) {
      left[product.columns] = right[product.rows] = k;
      sum += a.at(left) * b.at(right);
    }
    return sum;
  });
}

}  // namespace parconv
