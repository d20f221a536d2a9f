// SPDX-License-Identifier: Apache-2.0
// Constant and ConstantOfShape.
#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"

namespace parconv {
namespace {

/// The value of a Constant node, which has exactly one attribute.
OnnxConstant constant_of(NodeReader& node) {
  Attributes& attributes = node.attributes();
  if (const onnx::TensorProto* tensor = attributes.get_tensor("value"))
    return read_tensor(*tensor, node.network().model_path(), concat(node.label(), ": attribute value"));
  if (attributes.has("value_float")) return float_constant({attributes.get_float("value_float", 0)}, {});
  if (attributes.has("value_int")) return integer_constant({attributes.get_int("value_int", 0)}, {});
  if (attributes.has("value_floats")) {
    std::vector<float> values = attributes.get_floats("value_floats");
    const auto count = static_cast<index_t>(values.size());
    return float_constant(std::move(values), {count});
  }
  if (attributes.has("value_ints")) {
    std::vector<index_t> values = attributes.get_ints("value_ints");
    const auto count = static_cast<index_t>(values.size());
    return integer_constant(std::move(values), {count});
  }
  node.refuse("has none of the attributes value, value_float, value_floats, value_int, value_ints",
              "strings and sparse tensors are not supported");
}

float fill_of(NodeReader& node) {
  const onnx::TensorProto* tensor = node.attributes().get_tensor("value");
  if (tensor == nullptr) return 0;
  const OnnxConstant value = read_tensor(*tensor, node.network().model_path(), concat(node.label(), ": attribute value"));
  if (value.data.count != 1) node.refuse(concat("attribute value has ", value.data.count, " elements, expected one"));
  return read_constant(value.data).front();
}

void read_constant_node(NodeReader& node) {
  node.expect_inputs(0, 0);
  node.network().set_constant(node.output_name(), constant_of(node));
}

void read_constant_of_shape(NodeReader& node) {
  node.expect_inputs(1, 1);
  OnnxConstant constant{.dims = node.integers(0, "the shape")};
  constant.data.is_fill = true;
  constant.data.fill = fill_of(node);
  constant.data.count = count_of(constant.dims, node.label());
  node.network().set_constant(node.output_name(), std::move(constant));
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Constant", read_constant_node, 1},
    {"ConstantOfShape", read_constant_of_shape},
};

}  // namespace

std::span<const OperatorRow> constant_operators() { return rows; }

}  // namespace parconv
