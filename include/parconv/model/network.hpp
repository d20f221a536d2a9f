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

enum class ValueKind { Input, Constant, Activation };

/// A tensor of the network.
struct Value {
  std::string name{};
  ValueKind kind = ValueKind::Activation;
  Extents extents{};
  /// ONNX rank, 1 to 5: (n), (n c), (n c h), (n c h w), (n c d h w). The other extents are 1.
  int ndims = 4;
  /// Of a Constant: elements in row-major ONNX order of the shape.
  ConstantData constant{};
};

/// One operator with its inputs and its only output.
struct Node {
  std::string name{};
  Operator op{};
  std::vector<ValueId> inputs{};
  ValueId output = -1;
  Finish finish{};

  /// Inputs without the residual.
  std::size_t num_operands() const { return inputs.size() - (finish.has_residual ? 1 : 0); }
};

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

/// The nodes that read each value, in order.
std::vector<std::vector<NodeId>> consumers_of_values(const Network& network);

/// The node that makes each value; -1 for inputs and constants.
std::vector<NodeId> producers_of_values(const Network& network);

/// Checks what every later stage relies on: ids in range, topological order, one producer a value, shapes that follow from the
/// operators. Throws Error(BadData) naming the node.
void validate(const Network& network);

/// Takes what follows a node into its Finish where nobody else reads the value between: bias-free BatchNormalization
/// (ScaleShift) into a convolution, a two-operand Sum of equal shapes as a residual, an activation. Removes Elementwise nodes
/// that do nothing and nodes whose result nobody needs. Inputs and outputs keep their names.
Network fuse(const Network& network);

/// The same network for another number of samples; throws Error(BadData) if an operator mixes samples (a Reshape over n).
Network with_batch(const Network& network, index_t n);

}  // namespace parconv
