// SPDX-License-Identifier: Apache-2.0
// A network: a directed acyclic graph of operators with complete shapes.
#pragma once

#include <string>
#include <vector>

#include "parconv/model/operators.hpp"

namespace parconv {

/// Index of a Value in Network::values.
using ValueId = int;
/// Index of a Node in Network::nodes.
using NodeId = int;

/// Origin of a value: an input of the network, a constant, or the output of a node.
enum class ValueKind { Input, Constant, Activation };

/// A tensor of the network.
struct Value {
  std::string name{};
  ValueKind kind = ValueKind::Activation;
  Extents extents{};
  /// ONNX rank, 1 to 5: (n), (n c), (n c h), (n c h w), (n c d h w). The other extents are 1.
  int ndims = 4;
  /// Elements of a Constant, in row-major ONNX order of its shape.
  ConstantData constant{};
};

/// One operator with its inputs and its only output.
struct Node {
  std::string name{};
  Operator op{};
  std::vector<ValueId> inputs{};
  ValueId output = -1;
  Epilogue epilogue{};

  /// Inputs without the residual.
  std::size_t num_operands() const { return inputs.size() - (epilogue.has_residual ? 1 : 0); }
};

/// A directed acyclic graph of operators over named values. A plain value: every rank holds the same one. `validate` checks it,
/// and every later stage requires a network that passed.
struct Network {
  std::string name{};
  std::vector<Value> values{};
  /// In topological order: an input is a network input, a constant, or the output of an earlier node.
  std::vector<Node> nodes{};
  std::vector<ValueId> inputs{};
  std::vector<ValueId> outputs{};

  const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  Value& value(ValueId id) { return values[static_cast<std::size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes[static_cast<std::size_t>(id)]; }
};

/// The nodes that read each value, in topological order; a node that reads a value twice is listed once. Indexed by ValueId.
std::vector<std::vector<NodeId>> consumers_of_values(const Network& network);

/// The node that produces each value; -1 for inputs and constants. Indexed by ValueId.
std::vector<NodeId> producers_of_values(const Network& network);

/// Checks the invariants of a network: ids in range, topological order, one producer per value, shapes that follow from the
/// operators. Local. Throws Error(BadData) naming the node.
void validate(const Network& network);

/// Fuses the successors of a node into its epilogue where the value between has no other reader: a ScaleShift
/// (BatchNormalization) into a convolution, a two-operand Sum of equal shapes as a residual, an activation. Removes Elementwise
/// nodes without effect and nodes without a path to an output. Inputs and outputs keep their names. Local.
Network fuse(const Network& network);

/// Divides the sums over channels of all operators into leaves by `rule`. Local.
void set_leaf_rule(Network& network, LeafRule rule);

/// The same network for `n` samples. Local. Throws Error(BadData) if an operator mixes samples (a Reshape over n).
Network with_batch(const Network& network, index_t n);

}  // namespace parconv
