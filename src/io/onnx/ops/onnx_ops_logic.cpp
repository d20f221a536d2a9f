// SPDX-License-Identifier: Apache-2.0
// Comparisons, logic and Where. Values of bool are 0 and 1.
#include <algorithm>
#include <cmath>

#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Refuses integers that f32 would round, so that they would equal others.
void expect_exact_constants(NodeReader& node) {
  constexpr index_t largest = index_t{1} << 24;
  for (std::size_t k = 0; k < node.num_inputs(); ++k) {
    if (!node.is_constant(k)) continue;
    for (const index_t value : node.constant(k, "the input").integers)
      if (value < -largest || value > largest)
        node.refuse(concat("input ", k, " ('", node.input_name(k), "') has the integer ", value, ", which f32 cannot represent"));
  }
}

std::vector<ValueId> compared_inputs(NodeReader& node, std::size_t count) {
  node.expect_inputs(count, count);
  expect_exact_constants(node);
  return broadcast_inputs(node);
}

void read_equal(NodeReader& node) { node.make(Binary{BinaryKind::Equal}, compared_inputs(node, 2)); }

void read_greater(NodeReader& node) {
  const bool is_reached = node.op_type().ends_with("OrEqual");
  std::vector<ValueId> inputs = compared_inputs(node, 2);
  if (node.op_type().starts_with("Less")) std::swap(inputs[0], inputs[1]);
  node.make(Binary{is_reached ? BinaryKind::GreaterOrEqual : BinaryKind::Greater}, std::move(inputs));
}

void read_and(NodeReader& node) { node.make(Binary{BinaryKind::Mul}, compared_inputs(node, 2)); }

void read_or(NodeReader& node) { node.make(Binary{BinaryKind::Max}, compared_inputs(node, 2)); }

/// |a - b|.
void read_xor(NodeReader& node) {
  node.make(Binary{BinaryKind::Sub}, compared_inputs(node, 2), Epilogue{.activation = {.kind = ActivationKind::Abs}});
}

void read_not(NodeReader& node) {
  node.expect_inputs(1, 1);
  const ValueId x = node.value(0);
  node.make(Binary{BinaryKind::Equal}, {x, node.scalar_value("zero", 0, x)});
}

/// Nothing is calculated with the elements that are not selected, which may be NaN or infinite.
void read_where(NodeReader& node) {
  const std::vector<ValueId> inputs = compared_inputs(node, 3);
  const ValueId kept = node.add_step("kept", Binary{BinaryKind::Keep}, {inputs[0], inputs[1]});
  const ValueId others = node.add_step("others", Binary{BinaryKind::Drop}, {inputs[0], inputs[2]});
  node.make(Sum{}, {kept, others});
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"And", read_and},         {"Equal", read_equal},
    {"Greater", read_greater}, {"GreaterOrEqual", read_greater},
    {"Less", read_greater},    {"LessOrEqual", read_greater},
    {"Not", read_not, 1},      {"Or", read_or},
    {"Where", read_where},     {"Xor", read_xor},
};

}  // namespace

std::span<const OperatorRow> logic_operators() { return rows; }

}  // namespace parconv
