// SPDX-License-Identifier: Apache-2.0
// Elementwise functions of several inputs with broadcasting: Add, Sum, Mean, Mul, Max, Pow, ...
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Dims = std::vector<index_t>;

Dims own_dims(NodeReader& node, std::size_t k) {
  return node.is_constant(k) ? node.constant(k, "the input").dims : dims_of(node.shape(k));
}

/// Before opset 7, the dimensions of the second input start at dimension `axis` of the first.
std::optional<int> stated_axis(NodeReader& node, std::size_t ndims) {
  if (node.opset() >= 7) return std::nullopt;
  node.attributes().ignore("broadcast");  // output_shape rejects shapes that do not match
  if (!node.attributes().has("axis")) return std::nullopt;
  return checked_axis(node, node.attributes().get_int("axis", 0), static_cast<int>(ndims));
}

/// Broadcast alignment: trailing dimensions with leading ones or, with `axis`, from that dimension on with ones on both sides.
/// Example: (3, 4) with axis 1 meets (2, 3, 4, 5) as (1, 3, 4, 1).
Dims broadcast_dims(const NodeReader& node, Dims dims, std::size_t ndims, std::optional<int> axis) {
  if (axis) {
    const std::size_t end = static_cast<std::size_t>(*axis) + dims.size();
    if (end > ndims) node.refuse(concat("attribute axis is ", *axis, " for an input of ", dims_string(dims)));
    dims.insert(dims.end(), ndims - end, 1);
  }
  dims.insert(dims.begin(), ndims - dims.size(), 1);
  return dims;
}

ValueId broadcast_input(NodeReader& node, std::size_t k, std::size_t ndims, std::optional<int> axis) {
  const Dims dims = broadcast_dims(node, own_dims(node, k), ndims, axis);
  if (!node.is_constant(k)) return node.with_dims(node.value(k), dims);
  if (!axis) return node.network().constant_value(node.input_name(k), static_cast<int>(ndims), node.label());
  OnnxConstant constant = node.constant(k, "the input");
  constant.dims = dims;
  return node.network().add_constant(node.input_name(k), constant, static_cast<int>(ndims), node.label());
}

void expect_an_activation(NodeReader& node) {
  for (std::size_t k = 0; k < node.num_inputs(); ++k)
    if (!node.is_constant(k)) return;
  node.refuse("all its inputs are constant", "simplify the model so that constants are computed when it is exported");
}

void expect_some_inputs(NodeReader& node) {
  node.expect_inputs(1, std::max<std::size_t>(node.num_inputs(), 1));
  for (std::size_t k = 0; k < node.num_inputs(); ++k)
    if (!node.has_input(k)) node.refuse(concat("input ", k, " is missing"));
}

/// A power with one exponent for all elements is a unary function.
std::optional<Activation> fixed_power(NodeReader& node) {
  if (node.op_type() != "Pow" || node.is_constant(0) || !node.is_constant(1)) return std::nullopt;
  const OnnxConstant& exponents = node.constant(1, "the exponent");
  if (exponents.data.count != 1 || exponents.dims.size() > static_cast<std::size_t>(node.shape(0).ndims)) return std::nullopt;
  const float exponent = node.scalar(1, "the exponent");
  if (exponent == 1.0F) return Activation{};
  if (exponent == 0.5F) return Activation{.kind = ActivationKind::Sqrt};
  if (exponent == -1.0F) return Activation{.kind = ActivationKind::Reciprocal};
  if (exponent == -0.5F) return Activation{.kind = ActivationKind::InverseRoot};
  return Activation{.kind = ActivationKind::Power, .alpha = exponent};
}

BinaryKind kind_of(const NodeReader& node) {
  static const std::map<std::string_view, BinaryKind> kinds{
      {"Div", BinaryKind::Div}, {"Max", BinaryKind::Max}, {"Min", BinaryKind::Min},     {"Mul", BinaryKind::Mul},
      {"Pow", BinaryKind::Pow}, {"Sub", BinaryKind::Sub}, {"PRelu", BinaryKind::PRelu},
  };
  return kinds.at(node.op_type());
}

/// ONNX PRelu broadcasts only the slope; before opset 7, a list of slopes is per channel.
std::vector<ValueId> prelu_inputs(NodeReader& node) {
  const std::vector<index_t> dims = own_dims(node, 1);
  const int ndims = node.shape(0).ndims;
  if (node.opset() >= 7 || dims.size() != 1 || ndims < 2) return broadcast_inputs(node);
  OnnxConstant slopes = node.constant(1, "the slopes");
  slopes.dims.insert(slopes.dims.end(), static_cast<std::size_t>(ndims) - 2, 1);
  return {node.value(0), node.network().add_constant(node.input_name(1), slopes, ndims, node.label())};
}

void read_binary(NodeReader& node) {
  node.expect_inputs(2, 2);
  if (const std::optional<Activation> power = fixed_power(node)) {
    if (node.opset() < 7) stated_axis(node, 1);
    return node.make(Elementwise{}, {node.value(0)}, Epilogue{.activation = *power});
  }
  const bool is_prelu = node.op_type() == "PRelu";
  node.make(Binary{kind_of(node)}, is_prelu ? prelu_inputs(node) : broadcast_inputs(node));
}

void read_extreme(NodeReader& node) {
  expect_some_inputs(node);
  const std::vector<ValueId> inputs = broadcast_inputs(node);
  if (inputs.size() == 1) return node.make(Elementwise{}, inputs);
  ValueId first = inputs[0];
  for (std::size_t k = 1; k + 1 < inputs.size(); ++k) first = node.add_step("first", Binary{kind_of(node)}, {first, inputs[k]});
  node.make(Binary{kind_of(node)}, {first, inputs.back()});
}

void read_sum(NodeReader& node) {
  expect_some_inputs(node);
  std::vector<ValueId> inputs = broadcast_inputs(node);
  if (inputs.size() == 1) return node.make(Elementwise{}, std::move(inputs));
  node.make(Sum{}, std::move(inputs));
}

void read_add(NodeReader& node) {
  node.expect_inputs(2, 2);
  read_sum(node);
}

void read_mean(NodeReader& node) {
  expect_some_inputs(node);
  std::vector<ValueId> inputs = broadcast_inputs(node);
  const auto count = static_cast<float>(inputs.size());
  if (inputs.size() == 1) return node.make(Elementwise{}, std::move(inputs));
  const ValueId sum = node.add_step("sum", Sum{}, std::move(inputs));
  node.make(Binary{BinaryKind::Div}, {sum, node.scalar_value("count", count, sum)});
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Add", read_add},    {"Div", read_binary},   {"Max", read_extreme}, {"Mean", read_mean},  {"Min", read_extreme},
    {"Mul", read_binary}, {"PRelu", read_binary}, {"Pow", read_binary},  {"Sub", read_binary}, {"Sum", read_sum},
};

}  // namespace

std::vector<ValueId> broadcast_inputs(NodeReader& node) {
  expect_an_activation(node);
  std::size_t ndims = 1;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) ndims = std::max(ndims, own_dims(node, k).size());
  if (ndims > num_axes) node.refuse(concat("combines inputs of up to ", ndims, " dimensions, but 1 to 5 are supported"));
  const std::optional<int> axis = stated_axis(node, own_dims(node, 0).size());
  std::vector<ValueId> inputs;
  for (std::size_t k = 0; k < node.num_inputs(); ++k)
    inputs.push_back(broadcast_input(node, k, ndims, k == 0 ? std::nullopt : axis));
  return inputs;
}

std::span<const OperatorRow> binary_operators() { return rows; }

}  // namespace parconv
