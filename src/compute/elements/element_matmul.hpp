// SPDX-License-Identifier: Apache-2.0
// Matrix products.
#pragma once

#include <cmath>

#include "compute/elements/element_call.hpp"
#include "compute/elements/tree_joins.hpp"

namespace parconv::element {

/// The product of two matrices: a chain of fused multiply-adds over each leaf of the inner index, and the leaves joined by their
/// tree. Broadcast operands have stride 0.
struct MatMul {
  Operands<2> from{};
  index_t inner = 1;      ///< number of products in a sum
  index_t left_step = 0;  ///< between factors, in elements
  index_t right_step = 0;
  index_t num_leaves = 1;
  TreeJoins joins{};

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = product({.n = at.n, .c = at.c + k, .d = at.d, .h = at.h, .w = at.w});
    return result;
  }

 private:
  PARCONV_HOST_DEVICE float product(const ElementIndex& at) const {
    const index_t left = from.srcs[0].offset(at), right = from.srcs[1].offset(at);
    float open[most_open_sums];
    int num_open = 0;
    float sum = 0;
    for (index_t leaf = 0; leaf < num_leaves; ++leaf) {
      const index_t first = leaf * inner / num_leaves, last = (leaf + 1) * inner / num_leaves;
      if (leaf > 0) open[num_open++] = sum;
      sum = 0;
      for (index_t k = first; k < last; ++k)
        sum = std::fma(load_one(from.srcs[0], left + k * left_step), load_one(from.srcs[1], right + k * right_step), sum);
      for (int join = 0; join < joins.after(leaf); ++join) sum = open[--num_open] + sum;
    }
    return sum;
  }
};

/// The inner axis of an operand is absent from the result: its stride is the step of the sums.
template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalMatMul& product, const ElementCall<Executor>& call) {
  const std::vector<std::size_t> indices = operand_indices(call.op());
  PARCONV_EXPECT(indices.size() == 2, indices.size(), " sources of a product");
  OperandLayout left = call.op().srcs[indices[0]], right = call.op().srcs[indices[1]];
  MatMul function{.inner = left.extents[product.columns],
                  .left_step = left.strides[product.columns],
                  .right_step = right.strides[product.rows],
                  .num_leaves = product.leaves.count,
                  .joins = tree_joins(joins_after_leaves(product.leaves.count))};
  left.extents[product.columns] = right.extents[product.rows] = 1;
  function.from.srcs[0] = repeated(left, call.op().dst.extents);
  function.from.srcs[1] = repeated(right, call.op().dst.extents);
  return call.map(function);
}

}  // namespace parconv::element
