// Softmax and its logarithm.
#include <algorithm>

#include "io/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

void make_softmax(NodeReader& node, bool is_logarithm) {
  node.expect_inputs(1, 1);
  const int ndims = node.shape(0).ndims;
  const bool is_coerced = node.opset() < 13;  // to a matrix: all axes from `axis` on
  const int first = checked_axis(node, node.attributes().get_int("axis", is_coerced ? 1 : -1), ndims);
  Softmax softmax{.is_logarithm = is_logarithm};
  for (int k = first; k < (is_coerced ? ndims : first + 1); ++k)
    softmax.axes[static_cast<std::size_t>(axis_of(node, k, ndims))] = true;
  node.make(softmax, {node.value(0)});
}

}  // namespace

void read_softmax(NodeReader& node) { make_softmax(node, false); }

void read_log_softmax(NodeReader& node) { make_softmax(node, true); }

}  // namespace parconv
