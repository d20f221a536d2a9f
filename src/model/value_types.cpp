// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/value_types.hpp"

#include <algorithm>

#include "model/ops/all.hpp"

namespace parconv {
namespace {

bool reads_activations(const Operator& op) {
  return with_rules(op, [](auto rules, const auto&) { return requires { rules.reads_activations; }; });
}

bool makes_f32(const Operator& op) {
  return with_rules(op, [](auto rules, const auto& kind) {
    if constexpr (requires { rules.makes_f32(kind); }) return rules.makes_f32(kind);
    return false;
  });
}

/// The operands of such operators; a residual is added in f32 and may have any type.
std::vector<bool> read_as_activations(const Network& network) {
  std::vector<bool> result(network.values.size(), false);
  for (const Node& node : network.nodes) {
    if (!reads_activations(node.op)) continue;
    for (std::size_t operand = 0; operand < node.num_operands(); ++operand)
      result[static_cast<std::size_t>(node.inputs[operand])] = true;
  }
  return result;
}

}  // namespace

std::vector<DType> types_of_values(const Network& network, DType activations) {
  const std::vector<bool> is_read = read_as_activations(network);
  std::vector<DType> types(network.values.size(), activations);
  const auto is_f32 = [&](ValueId id) { return types[static_cast<std::size_t>(id)] == DType::F32; };
  for (std::size_t id = 0; id < types.size(); ++id)
    if (network.values[id].kind == ValueKind::Constant && !is_read[id]) types[id] = DType::F32;
  for (const Node& node : network.nodes) {
    const auto output = static_cast<std::size_t>(node.output);
    if (is_read[output] || reads_activations(node.op)) continue;
    const bool is_of_statistics = std::all_of(node.inputs.begin(), node.inputs.end(), is_f32);
    if (is_of_statistics || makes_f32(node.op)) types[output] = DType::F32;
  }
  return types;
}

DType partial_type(const Operator& op) {
  const auto* reduction = std::get_if<Reduction>(&op);
  return reduction != nullptr && reduction->kind == ReduceKind::Sum ? DType::Accumulator : DType::F32;
}

}  // namespace parconv
