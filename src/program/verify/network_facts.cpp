// SPDX-License-Identifier: Apache-2.0
#include "program/verify/network_facts.hpp"

#include <algorithm>

#include "parconv/model/value_types.hpp"

namespace parconv::verify {

NetworkFacts::NetworkFacts(const Network& network, const ProofOptions& options)
    : network_(network),
      types_(types_of_values(network, options.type)),
      producers_(producers_of_values(network)),
      outputs_(network.values.size(), false) {
  for (const ValueId output : network.outputs) outputs_[static_cast<std::size_t>(output)] = true;
  for (const Node& node : network.nodes) {
    contracts_.push_back(contracted_axes(network, node));
    channels_.push_back(channel_groups(node.op));
  }
}

std::string NetworkFacts::layer_name(NodeId node) const {
  if (!has_node(node)) return "the outputs";
  return network_.value(network_.node(node).output).name;
}

DType NetworkFacts::partial_type_of(ValueId value) const {
  const NodeId producer = producers_[static_cast<std::size_t>(value)];
  return producer < 0 ? DType::F32 : partial_type(network_.node(producer).op);
}

bool NetworkFacts::is_any_order(NodeId node) const { return std::holds_alternative<Reduction>(network_.node(node).op); }

bool NetworkFacts::are_same(ValueId a, const Box& a_box, ValueId b, const Box& b_box) const {
  if (a == b && a_box == b_box) return true;
  return origin_of({a, a_box}) == origin_of({b, b_box});
}

/// Down through Concats, as long as the box lies in one operand: elements [64, 96) of the second operand of 64 channels are its
/// elements [0, 32).
NetworkFacts::Elements NetworkFacts::origin_of(Elements elements) const {
  NodeId producer = producers_[static_cast<std::size_t>(elements.value)];
  while (producer >= 0) {
    const Node& joined = network_.node(producer);
    const auto* op = std::get_if<Concat>(&joined.op);
    if (op == nullptr) break;
    const Interval part = elements.box[op->axis];
    Interval operand{0, 0};
    const auto holds_part = [&](ValueId input) {
      operand = {operand.hi, operand.hi + network_.value(input).extents[op->axis]};
      return operand.lo <= part.lo && part.hi <= operand.hi;
    };
    const auto found = std::find_if(joined.inputs.begin(), joined.inputs.end(), holds_part);
    if (found == joined.inputs.end()) break;
    elements = {*found, elements.box.with(op->axis, part.shifted(-operand.lo))};
    producer = producers_[static_cast<std::size_t>(elements.value)];
  }
  return elements;
}

bool NetworkFacts::may_contract(NodeId node, const Box& contracted) const {
  const Box all = whole_contracted(network_, network_.node(node));
  const auto& contracts = contracts_[static_cast<std::size_t>(node)];
  return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis axis) {
    return contracts[static_cast<std::size_t>(axis)] ? all[axis].contains(contracted[axis]) : all[axis] == contracted[axis];
  });
}

Box NetworkFacts::contraction(NodeId id, const Box& computed, const Box& contracted) const {
  const Node& node = network_.node(id);
  Box result = Box::whole({});
  const auto& contracts = contracts_[static_cast<std::size_t>(id)];
  if (std::none_of(contracts.begin(), contracts.end(), [](bool is) { return is; })) return result;
  const Box need = needed_box(network_, node, 0, {computed, contracted});
  for (Axis axis : all_axes) {
    if (!contracts[static_cast<std::size_t>(axis)]) continue;
    result[axis] = need[axis];
    if (!need.is_empty()) continue;
    // An axis that lies wholly in padding makes the whole box empty: evaluate the others one by one.
    const Box outputs = Box::whole(network_.value(node.output).extents).with(axis, computed[axis]);
    const Box inputs = whole_contracted(network_, node).with(axis, contracted[axis]);
    result[axis] = needed_box(network_, node, 0, {outputs, inputs})[axis];
  }
  return result;
}

Box NetworkFacts::whole_contraction(NodeId node, const Box& computed) const {
  return contraction(node, computed, whole_contracted(network_, network_.node(node)));
}

bool NetworkFacts::are_leaves(NodeId node, Interval channels) const {
  const auto& groups = channels_[static_cast<std::size_t>(node)];
  if (!groups) return false;
  const Interval part = channels.shifted(-(channels.lo / groups->ic * groups->ic));
  bool has_first = false, has_last = false;
  for (index_t k = 0; k < groups->leaves.count; ++k) {
    has_first = has_first || groups->leaves.leaf(k).lo == part.lo;
    has_last = has_last || groups->leaves.leaf(k).hi == part.hi;
  }
  return has_first && has_last;
}

bool NetworkFacts::are_subtree(NodeId node, Interval channels) const {
  const ChannelGroups& groups = *channels_[static_cast<std::size_t>(node)];
  const Interval part = channels.shifted(-(channels.lo / groups.ic * groups.ic));
  // Down from the root, into the half that holds the part.
  Interval leaves{0, groups.leaves.count};
  while (true) {
    const Interval covered{groups.leaves.leaf(leaves.lo).lo, groups.leaves.leaf(leaves.hi - 1).hi};
    if (covered == part) return true;
    if (leaves.size() == 1) return false;
    const index_t middle = leaves.lo + (leaves.size() + 1) / 2;
    if (part.lo >= groups.leaves.leaf(middle).lo)
      leaves.lo = middle;
    else
      leaves.hi = middle;
  }
}

}  // namespace parconv::verify
