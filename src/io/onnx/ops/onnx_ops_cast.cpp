// SPDX-License-Identifier: Apache-2.0
// Cast and CastLike: all values are f32 here, so they are copies, save those to bool.
#include "io/onnx/onnx_types.hpp"
#include "io/onnx/ops/onnx_ops.hpp"

namespace parconv {
namespace {

/// 1 where an element is not 0, also for a NaN.
void make_bool(NodeReader& node) {
  const ValueId x = node.value(0);
  const ValueId is_zero = node.add_step("is_zero", Binary{BinaryKind::Equal}, {x, node.scalar_value("zero", 0, x)});
  node.make(Binary{BinaryKind::Equal}, {is_zero, node.scalar_value("no", 0, is_zero)});
}

void read_cast(NodeReader& node) {
  node.expect_inputs(1, 2);
  const auto to = static_cast<int>(node.attributes().get_int("to", onnx::TensorProto::UNDEFINED));
  node.attributes().ignore("saturate");  // applies to 8-bit floats only
  if (to == onnx::TensorProto::BOOL && !node.is_constant(0)) return make_bool(node);
  const OnnxConstant* constant = node.network().find_constant(node.input_name(0));
  if (constant == nullptr || !is_float_type(to)) return make_copy(node);
  OnnxConstant floats = *constant;
  floats.type = to;
  floats.is_integer = false;
  floats.integers.clear();
  node.network().set_constant(node.output_name(), std::move(floats));
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Cast", read_cast},
    {"CastLike", read_cast},
};

}  // namespace

std::span<const OperatorRow> cast_operators() { return rows; }

}  // namespace parconv
