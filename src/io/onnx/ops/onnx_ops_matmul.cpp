// SPDX-License-Identifier: Apache-2.0
// MatMul of two values, at most one of them constant.
#include <algorithm>

#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

ValueId operand(NodeReader& node, std::size_t k, std::size_t ndims) {
  if (node.is_constant(k)) return node.network().constant_value(node.input_name(k), static_cast<int>(ndims), node.label());
  std::vector<index_t> dims = dims_of(node.shape(k));
  dims.insert(dims.begin(), ndims - dims.size(), 1);
  return node.with_dims(node.value(k), dims);
}

}  // namespace

void make_product(NodeReader& node) {
  std::size_t ndims = 0;
  for (std::size_t k = 0; k < 2; ++k) {
    const std::size_t own = node.is_constant(k) ? node.constant(k, "the matrix").dims.size() : dims_of(node.shape(k)).size();
    if (own < 2 || own > num_axes) node.refuse(concat("multiplies by an input of ", own, " dimensions; 2 to 5 are supported"));
    ndims = std::max(ndims, own);
  }
  const auto last = static_cast<index_t>(ndims) - 1;
  const MatMul product{.rows = axis_of(node, last - 1, static_cast<int>(ndims)),
                       .columns = axis_of(node, last, static_cast<int>(ndims))};
  node.make(product, {operand(node, 0, ndims), operand(node, 1, ndims)});
}

}  // namespace parconv
