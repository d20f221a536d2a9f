#include "parconv/model/localise.hpp"

#include "model/ops/all.hpp"
#include "parconv/core/error.hpp"

namespace parconv {

std::array<bool, num_axes> contracted_axes(const Network& network, const Node& node) {
  const NodeView view{network, node};
  return with_rules(node.op, [&](auto rules, const auto& op) { return rules.contracted_axes(op, view); });
}

std::array<Axis, num_axes> share_axes(const Network& network, const Node& node, std::size_t operand) {
  if (operand >= node.num_operands()) return all_axes;
  const NodeView view{network, node};
  return with_rules(node.op, [&](auto rules, const auto& op) -> std::array<Axis, num_axes> {
    if constexpr (requires { rules.share_axes(op, view); }) return rules.share_axes(op, view);
    return all_axes;
  });
}

Box whole_contracted(const Network& network, const Node& node) { return Box::whole(network.value(node.inputs[0]).extents); }

Box needed_box(const Network& network, const Node& node, std::size_t operand, const Share& share) {
  PARCONV_EXPECT(operand < node.inputs.size(), "operand ", operand, " of ", node.name);
  if (share.computed.is_empty()) return {};
  const bool is_residual = operand >= node.num_operands();
  const NodeView view{network, node};
  const Box need =
      is_residual ? share.computed
                  : with_rules(node.op, [&](auto rules, const auto& op) { return rules.needed_box(op, view, operand, share); });
  return need.is_empty() ? Box{} : need;
}

LocalOp localise(const Network& network, const Node& node, const Share& share, bool is_finished) {
  PARCONV_EXPECT(!share.computed.is_empty(), node.name);
  LocalOp local;
  const Box first_need = needed_box(network, node, 0, share);
  const NodeView view{network, node};
  local.kind = with_rules(node.op, [&](auto rules, const auto& op) { return rules.localise(op, view, share, first_need); });
  local.dst = layout_within(share.computed, share.computed);
  const bool is_fill = std::holds_alternative<LocalFill>(local.kind);
  for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
    const bool is_residual = operand >= node.num_operands();
    if ((is_residual && !is_finished) || (is_fill && !is_residual)) continue;
    if (is_residual) local.finish.residual = static_cast<int>(local.srcs.size());
    const Box need = needed_box(network, node, operand, share);
    local.srcs.push_back(layout_within(need, need));
  }
  if (is_finished) {
    const int residual = local.finish.residual;
    local.finish = local_finish(network, node, share.computed);
    local.finish.residual = residual;
  }
  return local;
}

LocalFinish local_finish(const Network&, const Node& node, const Box& owned) {
  return {.bias = channel_slice(node.finish.bias, owned[Axis::C]), .residual = -1, .activation = node.finish.activation};
}

index_t concat_offset(const Network& network, const Node& node, std::size_t operand) {
  const Axis axis = std::get<Concat>(node.op).axis;
  index_t offset = 0;
  for (std::size_t k = 0; k < operand; ++k) offset += network.value(node.inputs[k]).extents[axis];
  return offset;
}

double flops(const Network& network, const Node& node, const Share& share) {
  const NodeView view{network, node};
  return with_rules(node.op, [&](auto rules, const auto& op) { return rules.flops(op, view, share); });
}

index_t weight_bytes(const Network& network, const Node& node, const Share& share, DType type) {
  const NodeView view{network, node};
  const index_t elems = with_rules(node.op, [&](auto rules, const auto& op) -> index_t {
    if constexpr (requires { rules.weight_elems(op, view, share); }) return rules.weight_elems(op, view, share);
    return 0;
  });
  if (elems == 0) return 0;
  const index_t biases = share.computed[Axis::C].size();
  return (elems - biases) * static_cast<index_t>(size_of(type)) + biases * static_cast<index_t>(size_of(DType::F32));
}

}  // namespace parconv
