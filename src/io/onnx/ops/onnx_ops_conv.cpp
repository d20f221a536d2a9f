// SPDX-License-Identifier: Apache-2.0
// Conv, Gemm and MatMul, all lowered to convolutions.
#include <algorithm>

#include "io/onnx/file/onnx_elements.hpp"
#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_window.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Convolution weights with dimensions (oc, ic per group, kernel...).
const OnnxConstant& conv_weights(NodeReader& node, const Shape& in) {
  const OnnxConstant& weights = node.constant(1, "the weights");
  if (static_cast<int>(weights.dims.size()) != in.ndims)
    node.refuse(concat("the weights ('", node.input_name(1), "') have dimensions ", dims_string(weights.dims), ", the input has ",
                       in.ndims, " dimensions"));
  if (std::any_of(weights.dims.begin(), weights.dims.end(), [](index_t dim) { return dim < 1; }))
    node.refuse(concat("the weights ('", node.input_name(1), "') are empty: ", dims_string(weights.dims)));
  return weights;
}

void check_groups(const NodeReader& node, index_t groups, const Shape& in, const OnnxConstant& weights) {
  const index_t channels = in.extents[Axis::C];
  if (groups < 1) node.refuse(concat("attribute group is ", groups, ", but must be positive"));
  if (channels % groups != 0)
    node.refuse(concat("attribute group is ", groups, ", which does not divide ", channels, " channels"));
  if (weights.dims[0] % groups != 0)
    node.refuse(concat("attribute group is ", groups, ", which does not divide ", weights.dims[0], " filters"));
  if (weights.dims[1] != channels / groups)
    node.refuse(concat("the weights have dimensions ", dims_string(weights.dims), ", but the input has ", channels,
                       " channels in ", groups, " groups"));
}

void check_kernel_shape(NodeReader& node, const Shape& in, const std::vector<index_t>& kernel) {
  const std::vector<index_t> stated = read_kernel_shape(node, in);
  if (!stated.empty() && stated != kernel)
    node.refuse(concat("attribute kernel_shape is ", dims_string(stated), ", but the weights have ", dims_string(kernel)));
}

/// Weights with axes oc, ic, kd, kh, kw.
Filter filter_of(const OnnxConstant& weights, int ndims) {
  Filter filter{.data = weights.data, .oc = weights.dims[0], .ic_per_group = weights.dims[1]};
  for (std::size_t k = 2; k < weights.dims.size(); ++k) filter.kernel[first_spatial(ndims) + k - 2] = weights.dims[k];
  index_t stride = 1;
  for (std::size_t k = 3; k-- > 0;) {
    filter.strides[2 + k] = stride;
    stride *= filter.kernel[k];
  }
  filter.strides[1] = stride;
  filter.strides[0] = stride * filter.ic_per_group;
  return filter;
}

/// Constant matrix of a Gemm: B[k][m] is element k * row_stride + m * column_stride of the data.
struct GemmMatrix {
  ConstantData data{};
  index_t rows = 0;     ///< k, contracted
  index_t columns = 0;  ///< m, the outputs
  index_t row_stride = 0;
  index_t column_stride = 0;
};

enum class Layout { RowMajor, ColumnMajor };

/// Far above any real network; bounds scale and bias vectors, which a few bytes of a model can request.
constexpr index_t max_columns = index_t{1} << 24;

GemmMatrix gemm_matrix(NodeReader& node, Layout layout) {
  const OnnxConstant& weights = node.constant(1, "the weights");
  if (weights.dims.size() != 2 || weights.dims[0] < 1 || weights.dims[1] < 1)
    node.refuse(
        concat("the weights ('", node.input_name(1), "') have dimensions ", dims_string(weights.dims), ", expected a matrix"));
  const index_t slow = weights.dims[0];
  const index_t fast = weights.dims[1];
  if ((layout == Layout::ColumnMajor ? slow : fast) > max_columns)
    node.refuse(concat("the weights ('", node.input_name(1), "') have impossibly large dimensions: ", dims_string(weights.dims)));
  if (layout == Layout::ColumnMajor)
    return {.data = weights.data, .rows = fast, .columns = slow, .row_stride = 1, .column_stride = fast};
  return {.data = weights.data, .rows = slow, .columns = fast, .row_stride = fast, .column_stride = 1};
}

/// The matrix as a filter of the extent of `in`: row k is element (c, d, h, w) of a sample in ONNX order. No data is moved.
Filter filter_over(const Shape& in, const GemmMatrix& matrix, float alpha) {
  const Extents& extents = in.extents;
  Filter filter{.data = matrix.data, .oc = matrix.columns, .ic_per_group = extents[Axis::C]};
  filter.kernel = {extents[Axis::D], extents[Axis::H], extents[Axis::W]};
  index_t stride = matrix.row_stride;
  for (std::size_t k = 4; k >= 1; --k) {
    filter.strides[k] = stride;
    stride *= extents.values[k];
  }
  filter.strides[0] = matrix.column_stride;
  if (alpha != 1.0F) filter.scale = std::make_shared<const std::vector<float>>(static_cast<std::size_t>(matrix.columns), alpha);
  return filter;
}

/// Gemm's C: a bias if it is scalar or one value per output, otherwise an addend.
struct Addend {
  std::vector<float> bias{};
  std::optional<ValueId> value{};
};

OnnxConstant scaled(const NodeReader& node, const OnnxConstant& constant, float factor) {
  std::vector<float> values = elements_of(constant, node.label());
  for (float& value : values) value *= factor;
  OnnxConstant result{.dims = constant.dims};
  result.data.count = constant.data.count;
  result.data.values = std::make_shared<const std::vector<float>>(std::move(values));
  return result;
}

Addend constant_addend(NodeReader& node, const Shape& out, float beta) {
  const OnnxConstant constant = scaled(node, node.constant(2, "the bias"), beta);
  const std::vector<index_t>& dims = constant.dims;
  const auto columns = static_cast<std::size_t>(out.extents[Axis::C]);
  const index_t width = dims.empty() ? 1 : dims.back();
  const bool is_row = dims.size() < 2 || (dims.size() == 2 && dims[0] == 1);
  const bool fits =
      dims.size() <= 2 && (width == 1 || width == out.extents[Axis::C]) && (is_row || dims[0] == out.extents[Axis::N]);
  if (!fits) node.refuse(concat("the bias has dimensions ", dims_string(dims), ", the output ", dims_string(dims_of(out))));
  if (!is_row) return {.value = node.network().add_constant(node.input_name(2), constant, 2, node.label())};
  return {.bias = width == 1 ? std::vector<float>(columns, constant.data.values->front()) : *constant.data.values};
}

Addend gemm_addend(NodeReader& node, const Shape& out) {
  const float beta = node.attributes().get_float("beta", 1.0F);
  if (!node.has_input(2) || beta == 0.0F) return {};
  if (node.is_constant(2)) return constant_addend(node, out, beta);
  if (beta != 1.0F) node.refuse(concat("attribute beta is ", beta, ", which is supported only for a constant bias"));
  return {.value = node.value(2)};
}

/// The source of a product's input: the value before a flattening if the input is one.
ValueId matrix_source(NodeReader& node) {
  const Shape in = node.shape(0);
  if (in.ndims != 2) node.refuse(concat("its input has ", in.ndims, " dimensions, expected 2"));
  if (const std::optional<ValueId> source = node.network().find_flattening(node.input_name(0))) return *source;
  return node.value(0);
}

ValueId gemm_source(NodeReader& node) {
  if (node.attributes().get_int("transA", 0) != 0)
    node.refuse("attribute transA is 1, which would mix samples", "only Gemm with the samples in the rows of A is supported");
  return matrix_source(node);
}

/// The product of each sample of `source` with a matrix.
Conv product_of(NodeReader& node, ValueId source, const GemmMatrix& matrix, float alpha) {
  const index_t width = node.shape(0).extents[Axis::C];
  if (matrix.rows != width)
    node.refuse(concat("multiplies ", width, " columns by a matrix of ", matrix.rows, " rows (after transB)"));
  Conv conv{.filter = filter_over(node.network().shape(source), matrix, alpha)};
  for (std::size_t k = 0; k < 3; ++k) conv.window.axes[k].kernel = conv.filter.kernel[k];
  return conv;
}

void read_conv(NodeReader& node) {
  node.expect_inputs(2, 3);
  const Shape in = node.shape(0);
  expect_spatial(node, in);
  const OnnxConstant& weights = conv_weights(node, in);
  const index_t groups = node.attributes().get_int("group", 1);
  check_groups(node, groups, in, weights);
  const std::vector<index_t> kernel(weights.dims.begin() + 2, weights.dims.end());
  check_kernel_shape(node, in, kernel);
  Epilogue epilogue;
  if (node.has_input(2)) epilogue.bias = node.constant_values(2, "the bias", weights.dims[0]);
  const Window window = read_window(node, in, {.kernel = kernel}).window;
  node.make(Conv{.window = window, .groups = groups, .filter = filter_of(weights, in.ndims)}, {node.value(0)},
            std::move(epilogue));
}

void read_gemm(NodeReader& node) {
  node.expect_inputs(2, 3);
  if (node.opset() < 7) node.attributes().ignore("broadcast");  // allows a bias with fewer dimensions than the output
  const ValueId source = gemm_source(node);
  const bool is_transposed = node.attributes().get_int("transB", 0) != 0;
  const GemmMatrix matrix = gemm_matrix(node, is_transposed ? Layout::ColumnMajor : Layout::RowMajor);
  Conv conv = product_of(node, source, matrix, node.attributes().get_float("alpha", 1.0F));
  const Shape in = node.network().shape(source);
  const Shape out{.extents = {{in.extents[Axis::N], matrix.columns, 1, 1, 1}}, .ndims = 2};
  Addend addend = gemm_addend(node, out);
  Node product{.name = node.name(), .op = std::move(conv), .inputs = {source}, .epilogue = {.bias = std::move(addend.bias)}};
  if (!addend.value) {
    node.network().add_node(std::move(product), node.output_name(), out);
    return;
  }
  const std::string between = node.network().fresh_name(concat(node.output_name(), ".product"));
  const ValueId sum = node.network().add_node(std::move(product), between, out);
  node.make(Sum{}, {sum, *addend.value});
}

/// With constant weights a convolution, otherwise a product of two values.
void read_matmul(NodeReader& node) {
  node.expect_inputs(2, 2);
  const bool is_gemm =
      !node.is_constant(0) && node.shape(0).ndims == 2 && node.is_constant(1) && node.constant(1, "the weights").dims.size() == 2;
  if (!is_gemm) return make_product(node);
  const ValueId source = matrix_source(node);
  const GemmMatrix matrix = gemm_matrix(node, Layout::RowMajor);
  const Shape out{.extents = {{node.shape(0).extents[Axis::N], matrix.columns, 1, 1, 1}}, .ndims = 2};
  Node product{.name = node.name(), .op = product_of(node, source, matrix, 1), .inputs = {source}};
  node.network().add_node(std::move(product), node.output_name(), out);
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Conv", read_conv, 1},
    {"Gemm", read_gemm},
    {"MatMul", read_matmul},
};

}  // namespace

std::span<const OperatorRow> conv_operators() { return rows; }

}  // namespace parconv
