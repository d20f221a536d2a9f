// SPDX-License-Identifier: Apache-2.0
// ConvTranspose, whose weights have input channels first.
#include <algorithm>

#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_window.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Dimensions (ic, oc per group, kernel...).
const OnnxConstant& transposed_weights(NodeReader& node, const Shape& in, index_t groups) {
  const OnnxConstant& weights = node.constant(1, "the weights");
  const std::vector<index_t>& dims = weights.dims;
  const index_t channels = in.extents[Axis::C];
  if (groups < 1) node.refuse(concat("attribute group is ", groups, ", but must be positive"));
  if (channels % groups != 0)
    node.refuse(concat("attribute group is ", groups, ", which does not divide ", channels, " channels"));
  const bool fits = static_cast<int>(dims.size()) == in.ndims && dims[0] == channels &&
                    std::all_of(dims.begin(), dims.end(), [](index_t dim) { return dim >= 1; });
  if (!fits)
    node.refuse(concat("the weights ('", node.input_name(1), "') have dimensions ", dims_string(dims), ", but the input has ",
                       in.ndims, " dimensions and ", channels, " channels"),
                "weights of a ConvTranspose are (input channels, output channels per group, kernel...)");
  return weights;
}

/// Copies grouped weights to the order oc, ic, taps, which no strides over the file order express.
ConstantData outputs_first(const NodeReader& node, const OnnxConstant& weights, index_t groups, index_t taps) {
  const index_t ic = weights.dims[0] / groups, oc = weights.dims[1];
  const std::vector<float> from = elements_of(weights, node.label());
  std::vector<float> to;
  to.reserve(from.size());
  for (index_t g = 0; g < groups; ++g)
    for (index_t o = 0; o < oc; ++o)
      for (index_t i = 0; i < ic; ++i) {
        const auto begin = from.begin() + ((g * ic + i) * oc + o) * taps;
        to.insert(to.end(), begin, begin + taps);
      }
  return {.values = std::make_shared<const std::vector<float>>(std::move(to)), .count = weights.data.count};
}

Filter filter_of(const NodeReader& node, const OnnxConstant& weights, index_t groups, const Window& window) {
  Filter filter{.data = weights.data, .oc = weights.dims[1] * groups, .ic_per_group = weights.dims[0] / groups};
  index_t taps = 1;
  for (std::size_t k = 3; k-- > 0;) {
    filter.kernel[k] = window.axes[k].kernel;
    filter.strides[2 + k] = taps;
    taps *= filter.kernel[k];
  }
  filter.strides[0] = taps;
  filter.strides[1] = taps * filter.oc;
  if (groups == 1) return filter;
  filter.data = outputs_first(node, weights, groups, taps);
  filter.strides[0] = taps * filter.ic_per_group;
  filter.strides[1] = taps;
  return filter;
}

void read_conv_transpose(NodeReader& node) {
  node.expect_inputs(2, 3);
  const Shape in = node.shape(0);
  expect_spatial(node, in);
  const index_t groups = node.attributes().get_int("group", 1);
  const OnnxConstant& weights = transposed_weights(node, in, groups);
  const std::vector<index_t> kernel(weights.dims.begin() + 2, weights.dims.end());
  const std::vector<index_t> stated = read_kernel_shape(node, in);
  if (!stated.empty() && stated != kernel)
    node.refuse(concat("attribute kernel_shape is ", dims_string(stated), ", but the weights have ", dims_string(kernel)));
  const Window window = read_transposed_window(node, in, kernel);
  Epilogue epilogue;
  if (node.has_input(2)) epilogue.bias = node.constant_values(2, "the bias", weights.dims[1] * groups);
  node.make(ConvTranspose{.window = window, .groups = groups, .filter = filter_of(node, weights, groups, window)},
            {node.value(0)}, std::move(epilogue));
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"ConvTranspose", read_conv_transpose, 1},
};

}  // namespace

std::span<const OperatorRow> conv_transpose_operators() { return rows; }

}  // namespace parconv
