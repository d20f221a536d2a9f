// SPDX-License-Identifier: Apache-2.0
// One ONNX node during reading.
#pragma once

#include <string>
#include <vector>

#include "io/onnx/onnx_attributes.hpp"
#include "io/onnx/onnx_builder.hpp"

namespace parconv {

/// Context beyond the graph.
struct ReadContext {
  index_t opset = 0;
  /// Number of samples of the data, and that fixed by the model's first input (0 if open).
  index_t batch = 1;
  index_t model_batch = 0;
};

/// Interface of operator readers: the node's inputs and attributes, and the network so far.
class NodeReader {
 public:
  NodeReader(const onnx::NodeProto& proto, const ReadContext& context, OnnxNetworkBuilder& network);

  const ReadContext& context() const { return context_; }
  index_t opset() const { return context_.opset; }
  const std::string& label() const { return label_; }
  const std::string& op_type() const { return proto_.op_type(); }
  Attributes& attributes() { return attributes_; }
  OnnxNetworkBuilder& network() { return network_; }

  /// Throws Error(BadData) with the node's label and `message`.
  [[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) const;

  std::size_t num_inputs() const { return static_cast<std::size_t>(proto_.input_size()); }
  /// True if input `k` is present; optional inputs may be absent or have an empty name.
  bool has_input(std::size_t k) const;
  /// Throws unless the node has `at_least` to `at_most` inputs, the first `at_least` of them named.
  void expect_inputs(std::size_t at_least, std::size_t at_most) const;
  /// Name of input `k`; empty if omitted. Throws if the node has fewer inputs.
  const std::string& input_name(std::size_t k) const;

  bool is_constant(std::size_t k) { return network_.find_constant(input_name(k)) != nullptr; }
  ValueId value(std::size_t k);
  Shape shape(std::size_t k);
  /// Dimensions of input `k`: any number for a chain of Reshape and Transpose, else 1 to 5.
  std::vector<index_t> dims(std::size_t k) { return network_.dims(input_name(k)); }
  /// Input `k`, which must be constant; `what` names it in messages ("the weights").
  const OnnxConstant& constant(std::size_t k, const char* what);
  /// All elements of the constant input `k`. Throws unless there are `count`.
  std::vector<float> constant_values(std::size_t k, const char* what, index_t count);
  /// The single element of the constant input `k`.
  float scalar(std::size_t k, const char* what);
  /// The elements of the constant integer input `k`.
  std::vector<index_t> integers(std::size_t k, const char* what);

  const std::string& output_name() const { return proto_.output(0); }
  std::size_t num_outputs() const { return static_cast<std::size_t>(proto_.output_size()); }
  const std::string& output_name(std::size_t k) const { return proto_.output(static_cast<int>(k)); }
  /// True if output `k` is named and used.
  bool is_output_used(std::size_t k) const;
  /// Throws if an output is used that reading the node has not made: most operators make their first only.
  void expect_outputs_made() const;

  /// The node's name in the network.
  std::string name() const { return name_of(proto_); }
  /// Adds a node that produces this node's output and has its name.
  void make(Operator op, std::vector<ValueId> inputs, Epilogue epilogue = {});
  void make(Operator op, std::vector<ValueId> inputs, const Shape& shape);
  /// Adds an intermediate node; its value is named after the output and `suffix`.
  ValueId add_step(const char* suffix, Operator op, std::vector<ValueId> inputs, Epilogue epilogue = {});
  /// A one-element constant, broadcastable to `like`.
  ValueId scalar_value(const char* suffix, float value, ValueId like);
  /// `value` reshaped to `dims`, which have the same number of elements.
  ValueId with_dims(ValueId value, const std::vector<index_t>& dims);
  /// The same, as the node's output.
  void make_with_dims(ValueId value, const std::vector<index_t>& dims);

 private:
  /// Throws if input `k` is a chain whose dimensions no value can have.
  void expect_value(std::size_t k);

  const onnx::NodeProto& proto_;
  const ReadContext& context_;
  OnnxNetworkBuilder& network_;
  std::string label_;
  Attributes attributes_;
};

/// Axis of ONNX dimension `axis` (negative: from the end) of a tensor of `ndims` dimensions. Throws if it is out of range.
Axis axis_of(const NodeReader& node, index_t axis, int ndims);
/// The same as an index in [0, ndims).
int checked_axis(const NodeReader& node, index_t axis, int ndims);

}  // namespace parconv
