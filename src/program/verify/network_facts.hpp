// SPDX-License-Identifier: Apache-2.0
// The model's rules for one network, as the proof evaluates them.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "parconv/model/localise.hpp"
#include "parconv/model/network.hpp"
#include "parconv/program/proof.hpp"

namespace parconv::verify {

class NetworkFacts {
 public:
  /// `network` must outlive the facts.
  NetworkFacts(const Network& network, const ProofOptions& options);

  const Network& network() const { return network_; }
  DType type_of(ValueId value) const { return types_[static_cast<std::size_t>(value)]; }
  /// Of partial results of a value. Values without a producer have none, and are refused elsewhere.
  DType partial_type_of(ValueId value) const;
  bool has_value(ValueId value) const { return value >= 0 && value < std::ssize(network_.values); }
  bool has_node(NodeId node) const { return node >= 0 && node < std::ssize(network_.nodes); }
  bool is_output(ValueId value) const { return has_value(value) && outputs_[static_cast<std::size_t>(value)]; }
  Box whole(ValueId value) const { return Box::whole(network_.value(value).extents); }
  /// The layer's name for messages; "the outputs" for steps after all nodes.
  std::string layer_name(NodeId node) const;

  /// True if box `a_box` of value `a` holds the elements of box `b_box` of value `b`: the same value and box, or operands of
  /// Concats shifted to their offsets.
  bool are_same(ValueId a, const Box& a_box, ValueId b, const Box& b_box) const;

  /// True if `contracted` divides only axes that the node sums over.
  bool may_contract(NodeId node, const Box& contracted) const;
  /// The part of the contracted axes that outputs `computed` need of `contracted`; [0, 1) on all other axes. Empty if the outputs
  /// need nothing of it.
  Box contraction(NodeId node, const Box& computed, const Box& contracted) const;
  /// The whole contracted box of the outputs.
  Box whole_contraction(NodeId node, const Box& computed) const;
  /// True if partial results may be combined in any order.
  bool is_any_order(NodeId node) const;
  /// True if `channels`, input channels of one group, begin and end where leaves of the node's sums do. Sums without leaves:
  /// false.
  bool are_leaves(NodeId node, Interval channels) const;
  /// True if `channels` are all those below one node of the tree of leaves. Precondition: are_leaves.
  bool are_subtree(NodeId node, Interval channels) const;

 private:
  /// A box of a value.
  struct Elements {
    ValueId value = -1;
    Box box{};
    friend bool operator==(const Elements&, const Elements&) = default;
  };
  Elements origin_of(Elements elements) const;

  const Network& network_;
  std::vector<DType> types_;
  std::vector<NodeId> producers_;
  std::vector<bool> outputs_;
  std::vector<std::array<bool, num_axes>> contracts_{};  // of each node
  std::vector<std::optional<ChannelGroups>> channels_{};
};

}  // namespace parconv::verify
