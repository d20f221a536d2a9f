// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/localise.hpp"

#include <utility>

#include "model/ops/all.hpp"
#include "parconv/core/error.hpp"

namespace parconv {

std::array<bool, num_axes> contracted_axes(const Network& network, const Node& node) {
  const NodeView view{network, node};
  return with_rules(node.op, [&](auto rules, const auto& op) { return rules.contracted_axes(op, view); });
}

std::array<Axis, num_axes> work_axes(const Network& network, const Node& node, std::size_t operand) {
  if (operand >= node.num_operands()) return all_axes;
  const NodeView view{network, node};
  return with_rules(node.op, [&](auto rules, const auto& op) -> std::array<Axis, num_axes> {
    if constexpr (requires { rules.work_axes(op, view); }) return rules.work_axes(op, view);
    return all_axes;
  });
}

Box whole_contracted(const Network& network, const Node& node) { return Box::whole(network.value(node.inputs[0]).extents); }

Box needed_box(const Network& network, const Node& node, std::size_t operand, const WorkRegion& work) {
  PARCONV_EXPECT(operand < node.inputs.size(), "operand ", operand, " of ", node.name);
  if (work.computed.is_empty()) return {};
  const bool is_residual = operand >= node.num_operands();
  const NodeView view{network, node};
  const Box need =
      is_residual ? work.computed
                  : with_rules(node.op, [&](auto rules, const auto& op) { return rules.needed_box(op, view, operand, work); });
  return need.is_empty() ? Box{} : need;
}

LocalOp LocalWork::placed(std::vector<OperandLayout> srcs, const OperandLayout& dst) const {
  PARCONV_EXPECT(srcs.size() == operands.size(), srcs.size(), " sources, expected ", operands.size());
  return {.kind = kind, .epilogue = epilogue, .srcs = std::move(srcs), .dst = dst};
}

LocalWork localise_partial(const Network& network, const Node& node, const WorkRegion& work) {
  PARCONV_EXPECT(!work.computed.is_empty(), node.name);
  const Box first_need = needed_box(network, node, 0, work);
  const NodeView view{network, node};
  LocalWork call;
  call.kind = with_rules(node.op, [&](auto rules, const auto& op) { return rules.localise(op, view, work, first_need); });
  if (std::holds_alternative<LocalFill>(call.kind)) return call;
  for (std::size_t operand = 0; operand < node.num_operands(); ++operand) call.operands.push_back(operand);
  return call;
}

LocalWork localise(const Network& network, const Node& node, const WorkRegion& work) {
  LocalWork call = localise_partial(network, node, work);
  call.epilogue = local_epilogue(network, node, work.computed);
  for (std::size_t operand = node.num_operands(); operand < node.inputs.size(); ++operand) {
    call.epilogue.residual = static_cast<int>(call.operands.size());
    call.operands.push_back(operand);
  }
  return call;
}

LocalEpilogue local_epilogue(const Network&, const Node& node, const Box& owned) {
  return {.bias = channel_slice(node.epilogue.bias, owned[Axis::C]), .residual = -1, .activation = node.epilogue.activation};
}

index_t concat_offset(const Network& network, const Node& node, std::size_t operand) {
  const Axis axis = std::get<Concat>(node.op).axis;
  index_t offset = 0;
  for (std::size_t k = 0; k < operand; ++k) offset += network.value(node.inputs[k]).extents[axis];
  return offset;
}

double flops(const Network& network, const Node& node, const WorkRegion& work) {
  const NodeView view{network, node};
  return with_rules(node.op, [&](auto rules, const auto& op) { return rules.flops(op, view, work); });
}

index_t weight_bytes(const Network& network, const Node& node, const WorkRegion& work, DType type) {
  const NodeView view{network, node};
  const index_t elems = with_rules(node.op, [&](auto rules, const auto& op) -> index_t {
    if constexpr (requires { rules.weight_elems(op, view, work); }) return rules.weight_elems(op, view, work);
    return 0;
  });
  if (elems == 0) return 0;
  const index_t biases = work.computed[Axis::C].size();
  return (elems - biases) * static_cast<index_t>(size_of(type)) + biases * static_cast<index_t>(size_of(DType::F32));
}

}  // namespace parconv
