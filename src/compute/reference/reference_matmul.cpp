// SPDX-License-Identifier: Apache-2.0
#include "compute/reference/reference_matmul.hpp"

#include "compute/reference/reference_products.hpp"
#include "parconv/core/error.hpp"

namespace parconv::reference {
namespace {

/// `batch`, with index 0 along axes that `src` broadcasts.
Index in_operand(const Source& src, Index batch) {
  for (Axis axis : all_axes)
    if (src.extents()[axis] == 1) batch[axis] = 0;
  return batch;
}

/// The matrix at `at`, which is 0 along both axes, in the order slow, fast.
std::vector<float> matrix_at(const Source& src, Index at, Axis slow, Axis fast) {
  std::vector<float> matrix;
  matrix.reserve(static_cast<std::size_t>(src.extents()[slow] * src.extents()[fast]));
  for (at[slow] = 0; at[slow] < src.extents()[slow]; ++at[slow])
    for (at[fast] = 0; at[fast] < src.extents()[fast]; ++at[fast]) matrix.push_back(src.at(at));
  return matrix;
}

}  // namespace

void check(const LocalMatMul& product, const CallExtents& call) {
  PARCONV_EXPECT(call.srcs.size() == 2 && product.rows != product.columns, call.srcs.size(), " sources of a product");
  const Extents &a = call.srcs[0], &b = call.srcs[1], &dst = call.dst;
  PARCONV_EXPECT(a[product.columns] == b[product.rows], "a ", a, ", b ", b);
  check_leaves(product.leaves, {0, a[product.columns]});
  PARCONV_EXPECT(a[product.rows] == dst[product.rows] && b[product.columns] == dst[product.columns], "dst ", dst);
  for (Axis axis : all_axes) {
    if (axis == product.rows || axis == product.columns) continue;
    for (const Extents& src : {a, b}) PARCONV_EXPECT(src[axis] == 1 || src[axis] == dst[axis], "src ", src, ", dst ", dst);
  }
}

/// One row of the result at a time, all columns at once.
void compute(const LocalMatMul& product, const ReferenceCall& call) {
  const Source a = call.operand(0), b = call.operand(1);
  const index_t inner = a.extents()[product.columns], columns = call.extents()[product.columns];
  TreeSum sum(product.leaves, {0, inner}, columns);
  std::vector<float> sums(static_cast<std::size_t>(columns));
  const index_t only_tap = 0;
  Extents batches = call.extents();
  batches[product.rows] = batches[product.columns] = 1;
  for_each_index(batches, [&](Index at) {
    const std::vector<float> left = matrix_at(a, in_operand(a, at), product.rows, product.columns);
    const std::vector<float> right = matrix_at(b, in_operand(b, at), product.rows, product.columns);
    for (at[product.rows] = 0; at[product.rows] < call.extents()[product.rows]; ++at[product.rows]) {
      const float* const values = left.data() + at[product.rows] * inner;
      sum.compute({.ic = inner, .oc = columns, .taps = {&only_tap, 1}, .values = values, .weights = right.data()}, sums);
      for (at[product.columns] = 0; at[product.columns] < columns; ++at[product.columns])
        call.store(at, sums[static_cast<std::size_t>(at[product.columns])]);
    }
  });
}

}  // namespace parconv::reference
