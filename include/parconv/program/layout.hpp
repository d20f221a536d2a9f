// SPDX-License-Identifier: Apache-2.0
// The part of programs that is the same for all ranks: boxes of every node, deliveries, and their global order.
#pragma once

#include <memory>
#include <vector>

#include "parconv/program/groups.hpp"
#include "parconv/program/options.hpp"

namespace parconv {

/// One use of a value: input `operand` of node `consumer`.
struct Use {
  NodeId consumer = -1;
  std::size_t operand = 0;
};

/// Delivery of a value, or a part of it, to the ranks of its consumers.
struct Delivery {
  ValueId value = -1;
  NodeId producer = -1;       ///< -1: loaded from a file
  std::vector<Use> uses{};    ///< consumers with one grid and stage; empty for a delivery that is stored
  NodeId first_consumer = 0;  ///< the number of nodes for a delivery that is stored
  Distribution need{};
  int from_stage = 0;
  int to_stage = 0;
  int groups = -1;         ///< index in Layout::groups; -1: it has none
  int first_order = 0;     ///< position of the first strip in the global order of communications
  int order_step = 1;      ///< distance between the positions of consecutive strips
  bool is_concat = false;  ///< lands in the output of a Concat, shifted along its axis
  bool is_store = false;
};

/// Strips of a node's computation along the outermost axis, and the communications of its output.
struct NodeSchedule {
  int num_strips = 1;
  index_t border = 0;             ///< > 0: strips are the low border, the high border and the rest; 0: equal strips
  int reduce_order = -1;          ///< position of the first strip of the summation in the global order; -1 without one
  int sum_groups = -1;            ///< of the summation: index in Layout::groups; -1: it has none
  std::vector<int> deliveries{};  ///< indices of the deliveries of its output
  std::vector<int> arrivals{};    ///< indices of the deliveries that this node is the first to use
};

/// The part of all programs that is the same on every rank: placements, deliveries, and the global order of communications.
/// A plain value; `lay_out` creates it and `compile` reads it.
struct Layout {
  CompileOptions options{};
  int num_ranks = 1;
  int num_stages = 1;
  std::vector<DType> types{};             ///< of each value
  std::vector<Placement> placements{};    ///< of each node
  std::vector<NodeSchedule> schedules{};  ///< of each node
  std::vector<Delivery> deliveries{};
  std::vector<std::vector<Groups>> groups{};  ///< of the strips of deliveries and sums
  int num_orders = 0;                         ///< length of the global order: communications per micro-batch

  /// The group of `rank` in a strip of a delivery or a sum whose `groups` is `index`; null if it has none.
  std::shared_ptr<const CommGroup> group(int index, std::size_t strip, int rank) const;
};

/// Lays out a plan: places every node, groups deliveries and orders communications. Local and pure: equal arguments give equal
/// layouts on every rank. Precondition: validate(plan, network) passed.
Layout lay_out(const Network& network, const Plan& plan, const CompileOptions& options);

/// The outermost axis along which a tensor of these extents can be cut into dense parts: the first of d, h, w with an extent
/// above 1.
Axis outermost_axis(const Extents& extents);

/// The strips of a computed box of a tensor of `extents`, in the order of computation; some may be empty. They partition
/// `computed`. With more than one sample the strips are runs of samples. Example: rows [0, 8), border 1: rows [0, 1), [7, 8),
/// [1, 7).
std::vector<Box> strips_of(const NodeSchedule& schedule, const Box& computed, const Extents& extents);

}  // namespace parconv
