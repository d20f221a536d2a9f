// Concat and Softmax: operators whose axes matter.
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

void read_concat(NodeReader& node) {
  node.expect_inputs(1, std::max<std::size_t>(node.num_inputs(), 1));
  const int ndims = node.shape(0).ndims;
  if (!node.attributes().has("axis")) node.refuse("attribute axis is missing");
  const index_t axis = node.attributes().get_int("axis", 1);
  if (checked_axis(node, axis, ndims) != 1)
    node.refuse(concat("attribute axis is ", axis, "; only channels (axis 1) can be joined"));
  std::vector<ValueId> inputs;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) {
    if (!node.has_input(k)) node.refuse(concat("input ", k, " is missing"));
    if (node.shape(k).ndims != ndims) node.refuse(concat("joins inputs of ", ndims, " and ", node.shape(k).ndims, " dimensions"));
    inputs.push_back(node.value(k));
  }
  node.make(Concat{}, std::move(inputs));
}

void read_softmax(NodeReader& node) { make_softmax(node, false); }

void read_log_softmax(NodeReader& node) { make_softmax(node, true); }

}  // namespace parconv
