// SPDX-License-Identifier: Apache-2.0
// Softmax, its logarithm, and Hardmax.
#include <algorithm>

#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// The axes that all of them work along.
std::array<bool, num_axes> marked_axes(NodeReader& node) {
  node.expect_inputs(1, 1);
  const int ndims = node.shape(0).ndims;
  const bool is_coerced = node.opset() < 13;  // to a matrix: all axes from `axis` on
  const int first = checked_axis(node, node.attributes().get_int("axis", is_coerced ? 1 : -1), ndims);
  std::array<bool, num_axes> axes{};
  for (int k = first; k < (is_coerced ? ndims : first + 1); ++k) axes[static_cast<std::size_t>(axis_of(node, k, ndims))] = true;
  return axes;
}

void read_softmax(NodeReader& node) { node.make(Softmax{.axes = marked_axes(node)}, {node.value(0)}); }

void read_log_softmax(NodeReader& node) { node.make(Softmax{.axes = marked_axes(node), .is_logarithm = true}, {node.value(0)}); }

void read_hardmax(NodeReader& node) { node.make(Hardmax{.axes = marked_axes(node)}, {node.value(0)}); }

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Hardmax", read_hardmax, 1},
    {"LogSoftmax", read_log_softmax, 1},
    {"Softmax", read_softmax, 1},
};

}  // namespace

std::span<const OperatorRow> softmax_operators() { return rows; }

}  // namespace parconv
