// The part of a program that is the same for all ranks: boxes of every node, and what is delivered to whom, in which order.
#pragma once

#include <string_view>
#include <vector>

#include "parconv/program/options.hpp"

namespace parconv {

/// What a communication amounts to. Messages are the same for all; a communicator may map the kind to a collective.
enum class CommKind { PointToPoint, Allgather, Gather, ReduceScatter, Allreduce };

std::string_view name_of(CommKind kind);

/// One use of a value: input `operand` of node `consumer`.
struct Use {
  NodeId consumer = -1;
  std::size_t operand = 0;
};

/// A value, or a part of it, brought to the ranks of its consumers: boxes had, boxes needed, the moves between them.
struct Delivery {
  ValueId value = -1;
  NodeId producer = -1;       ///< -1: loaded from a file
  std::vector<Use> uses{};    ///< of one grid and stage; empty for the delivery that is stored
  NodeId first_consumer = 0;  ///< the number of nodes for the delivery that is stored
  Distribution need{};
  int from_stage = 0;
  int to_stage = 0;
  CommKind kind = CommKind::PointToPoint;
  int first_order = 0;     ///< place of the first strip in the global order of communications
  int order_step = 1;      ///< from the place of one strip to that of the next
  bool is_concat = false;  ///< lands in the output of a Concat, shifted along its axis
  bool is_store = false;
};

/// How a node's computation is cut along the outermost axis, and when contributions are sent.
struct NodeSchedule {
  int num_strips = 1;
  index_t border = 0;             ///< > 0: strips are the low border, the high border and the rest; 0: equal strips
  int reduce_order = -1;          ///< place of the first strip of the summation in the global order; -1 without one
  std::vector<int> deliveries{};  ///< indices of the deliveries of its output
  std::vector<int> arrivals{};    ///< indices of the deliveries that it is the first to use
};

struct Layout {
  CompileOptions options{};
  int num_ranks = 1;
  int num_stages = 1;
  std::vector<DType> types{};             ///< of each value
  std::vector<Placement> placements{};    ///< of each node
  std::vector<NodeSchedule> schedules{};  ///< of each node
  std::vector<Delivery> deliveries{};
  int num_orders = 0;
};

/// Pure and the same on every rank. Precondition: validate(plan, network) passed.
Layout lay_out(const Network& network, const Plan& plan, const CompileOptions& options);

/// The outermost axis along which a tensor of these extents can be cut densely: d, h or w, the first with more than one index.
Axis outermost_axis(const Extents& extents);

/// The strips of a computed box of a tensor of `extents`, some of which may be empty, in the order in which they are computed.
/// With more than one sample the strips are runs of samples. Disjoint; together they are `computed`.
std::vector<Box> strips_of(const NodeSchedule& schedule, const Box& computed, const Extents& extents);

}  // namespace parconv
