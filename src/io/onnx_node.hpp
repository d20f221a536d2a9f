// One ONNX node while it is read.
#pragma once

#include <string>
#include <vector>

#include "io/onnx_attributes.hpp"
#include "io/onnx_builder.hpp"

namespace parconv {

/// What is known beside the graph.
struct ReadContext {
  index_t opset = 0;
  /// Samples of the data, and what the model's first input fixes them to (0: it does not).
  index_t batch = 1;
  index_t model_batch = 0;
};

/// What a function that reads an operator works with: the node's inputs, attributes and the network so far.
class NodeReader {
 public:
  NodeReader(const onnx::NodeProto& proto, const ReadContext& context, NetworkBuilder& network);

  const ReadContext& context() const { return context_; }
  index_t opset() const { return context_.opset; }
  const std::string& label() const { return label_; }
  const std::string& op_type() const { return proto_.op_type(); }
  Attributes& attributes() { return attributes_; }
  NetworkBuilder& network() { return network_; }

  /// Throws Error(BadData): the node's label, then `message`.
  [[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) const;

  std::size_t num_inputs() const { return static_cast<std::size_t>(proto_.input_size()); }
  /// True if input `k` is there; optional inputs may be left out or have an empty name.
  bool has_input(std::size_t k) const;
  /// Throws unless there are `at_least` to `at_most` inputs and the first `at_least` have names.
  void expect_inputs(std::size_t at_least, std::size_t at_most) const;
  /// Throws if the node has no input `k`; empty if the input was left out.
  const std::string& input_name(std::size_t k) const;

  bool is_constant(std::size_t k) { return network_.find_constant(input_name(k)) != nullptr; }
  ValueId value(std::size_t k);
  Shape shape(std::size_t k);
  /// The dimensions of input `k`, of which what Reshape and Transpose make may have any number; the others have 1 to 5.
  std::vector<index_t> dims(std::size_t k) { return network_.dims(input_name(k)); }
  /// Input `k`, which must be a constant; `what` names it in messages ("the weights").
  const OnnxConstant& constant(std::size_t k, const char* what);
  /// All elements of the constant input `k`, of which there must be `count`.
  std::vector<float> constant_values(std::size_t k, const char* what, index_t count);
  /// The only element of the constant input `k`.
  float scalar(std::size_t k, const char* what);
  /// The elements of the constant integer input `k`.
  std::vector<index_t> integers(std::size_t k, const char* what);

  const std::string& output_name() const { return proto_.output(0); }
  std::size_t num_outputs() const { return static_cast<std::size_t>(proto_.output_size()); }
  const std::string& output_name(std::size_t k) const { return proto_.output(static_cast<int>(k)); }
  /// True if output `k` has a name that somebody reads.
  bool is_output_used(std::size_t k) const;
  /// Throws if anybody reads an output but the first.
  void expect_one_output() const;

  /// The node's name for the network.
  std::string name() const { return name_of(proto_); }
  /// Adds a node called after this one that makes its output.
  void make(Operator op, std::vector<ValueId> inputs, Finish finish = {});
  void make(Operator op, std::vector<ValueId> inputs, const Shape& shape);
  /// Adds a node on the way to this one's output, whose value is called after the output and `suffix`.
  ValueId add_step(const char* suffix, Operator op, std::vector<ValueId> inputs, Finish finish = {});
  /// A constant of one element that can be broadcast to `like`.
  ValueId scalar_value(const char* suffix, float value, ValueId like);
  /// `value` under other dimensions of as many elements.
  ValueId with_dims(ValueId value, const std::vector<index_t>& dims);
  /// The same as the node's output.
  void make_with_dims(ValueId value, const std::vector<index_t>& dims);

 private:
  /// Throws if what a chain stands for is read, but has dimensions that no value can have.
  void expect_value(std::size_t k);

  const onnx::NodeProto& proto_;
  const ReadContext& context_;
  NetworkBuilder& network_;
  std::string label_;
  Attributes attributes_;
};

/// The axis of ONNX dimension `axis` (negative: from the end) of a tensor of `ndims` dimensions. Throws if it is out of range.
Axis axis_of(const NodeReader& node, index_t axis, int ndims);
/// The same as a number from 0 to ndims - 1.
int checked_axis(const NodeReader& node, index_t axis, int ndims);

}  // namespace parconv
