// SPDX-License-Identifier: Apache-2.0
// Matrix products.
#pragma once

#include "compute/elements/element_call.hpp"

namespace parconv::element {

/// The product of two matrices, summed in the order of the inner index. Broadcast operands have stride 0.
struct MatMul {
  Operands<2> from{};
  index_t inner = 1;      ///< number of products in a sum
  index_t left_step = 0;  ///< between factors, in elements
  index_t right_step = 0;

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    ChannelVector<V> result;
    for (int k = 0; k < V; ++k) result.x[k] = product({.n = at.n, .c = at.c + k, .d = at.d, .h = at.h, .w = at.w});
    return result;
  }

 private:
  PARCONV_HOST_DEVICE float product(const ElementIndex& at) const {
    const index_t left = from.srcs[0].offset(at), right = from.srcs[1].offset(at);
    float sum = 0;
    for (index_t k = 0; k < inner; ++k)
      sum += load_one(from.srcs[0], left + k * left_step) * load_one(from.srcs[1], right + k * right_step);
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
                  .right_step = right.strides[product.rows]};
  left.extents[product.columns] = right.extents[product.rows] = 1;
  function.from.srcs[0] = repeated(left, call.op().dst.extents);
  function.from.srcs[1] = repeated(right, call.op().dst.extents);
  return call.map(function);
}

}  // namespace parconv::element
