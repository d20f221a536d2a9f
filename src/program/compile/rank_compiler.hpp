// SPDX-License-Identifier: Apache-2.0
// Builds the program of one rank, node by node.
#pragma once

#include <map>
#include <span>

#include "parconv/program/program.hpp"
#include "program/compile/owned_places.hpp"

namespace parconv {

/// Destination of a delivery on this rank.
struct Arrival {
  Box need{};            ///< in the value's indices; empty if this rank needs nothing
  BufferId buffer = -1;  ///< that holds `need`, shifted by `offsets`
  Offsets offsets = no_offsets;
  std::vector<CommId> communications{};  ///< one per strip; -1 where this rank does not participate
};

/// A buffer with a sum over a part of the contracted axes.
struct PartialSum {
  BufferId buffer = -1;
  WorkRegion work{};
};

class RankCompiler {
 public:
  RankCompiler(const Network& network, const Layout& layout, int rank);

  Program build();

 private:
  // Facts.
  const Placement& placement(NodeId node) const { return layout_.placements[static_cast<std::size_t>(node)]; }
  const Delivery& delivery(int index) const { return layout_.deliveries[static_cast<std::size_t>(index)]; }
  const Extents& extents_of(ValueId value) const { return network_.value(value).extents; }
  Box owned_box(NodeId node) const { return placement(node).owned.box(rank_); }
  int delivery_of(const Use& use) const;

  // Buffers.
  BufferId add_buffer(ValueId value, BufferRole role, const Box& box);
  BufferId add_sum_buffer(NodeId node, BufferRole role, const Box& box);
  BufferId owned_buffer(NodeId node);
  Region owned_region(NodeId node, const Box& box);
  void place_arrival(int index);
  Region arrived(int index, const Box& box) const;
  Region operand_region(NodeId node, std::size_t operand, const Box& need);

  // Communications.
  CommId add_communication(Communication communication);
  void add_delivery_communications(int index);
  std::vector<CommId> add_reduce_communications(NodeId node, std::span<const PartialSum> partials);
  void add_contribution(NodeId node, const Box& box, const PartialSum& partial);
  std::vector<Box> strips(NodeId node, int rank) const;

  // Steps.
  void add_step(Action action, NodeId node, int stage) { program_.steps.push_back({std::move(action), node, stage}); }
  void compile_node(NodeId node);
  void load(int index);
  void await_delivery(int index, NodeId node);
  void await_sends_of_earlier_batches(NodeId node);
  void compute_region(NodeId node, const WorkRegion& work, const Region& dst, bool is_finished);
  void compute_strips(NodeId node);
  void compute_sum(NodeId node);
  void reduce(NodeId node);
  void start_strip(NodeId node, int strip);
  void copy_own_parts(NodeId node);
  void store(int index);

  /// A partial sum that reaches this rank, in the order of the summation.
  struct Contribution {
    Box box{};
    BufferId buffer = -1;
    Interval contracted_channels{};
  };

  const Network& network_;
  const Layout& layout_;
  int rank_;
  Program program_{};
  OwnedPlaces places_;
  std::vector<BufferId> owned_buffers_;  // of each node that is its own home
  std::vector<Arrival> arrivals_;        // of each delivery
  std::map<NodeId, std::vector<Contribution>> incoming_;
  std::map<std::pair<NodeId, std::size_t>, int> delivery_of_use_;
};

}  // namespace parconv
