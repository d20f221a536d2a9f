// SPDX-License-Identifier: Apache-2.0
// Matrix products in plain loops.
#pragma once

#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"

namespace parconv::reference {

/// Index 0 along broadcast axes that are neither rows nor columns.
inline Index in_operand(const Source& src, const LocalMatMul& product, Index at) {
  for (Axis axis : all_axes)
    if (axis != product.rows && axis != product.columns && src.extents()[axis] == 1) at[axis] = 0;
  return at;
}

inline void check(const LocalMatMul& product, const CallExtents& call) {
  PARCONV_EXPECT(call.srcs.size() == 2 && product.rows != product.columns, call.srcs.size(), " sources of a product");
  const Extents &a = call.srcs[0], &b = call.srcs[1], &dst = call.dst;
  PARCONV_EXPECT(a[product.columns] == b[product.rows], "a ", a, ", b ", b);
  PARCONV_EXPECT(a[product.rows] == dst[product.rows] && b[product.columns] == dst[product.columns], "dst ", dst);
  for (Axis axis : all_axes) {
    if (axis == product.rows || axis == product.columns) continue;
    for (const Extents& src : {a, b}) PARCONV_EXPECT(src[axis] == 1 || src[axis] == dst[axis], "src ", src, ", dst ", dst);
  }
}

inline void compute(const LocalMatMul& product, const ReferenceCall& call) {
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

}  // namespace parconv::reference
