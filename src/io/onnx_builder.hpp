// The network under construction, by the names of the ONNX graph.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "io/onnx_graph.hpp"
#include "io/onnx_tensor.hpp"
#include "parconv/model/network.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {

/// A name of the graph is one of: a constant; a value of the network; or a *flattening*, a Reshape to (n, all the rest) that is
/// made only if somebody but a Gemm reads it, because a Gemm can read the value before it.
class NetworkBuilder {
 public:
  /// `graph` and `contents` must outlive this.
  NetworkBuilder(const OnnxContents& contents, const OnnxGraph& graph) : contents_(contents), graph_(graph) {}

  const OnnxGraph& graph() const { return graph_; }
  const std::string& model_path() const { return contents_.path; }

  ValueId add_input(const std::string& name, const Shape& shape);
  /// Makes the value an output; a name that a flattening or nothing stands for is an error here.
  void add_output(const std::string& name);

  /// The constant called `name`, or null if the name is not one.
  const OnnxConstant* find_constant(const std::string& name);
  void set_constant(const std::string& name, OnnxConstant constant) { constants_[name] = std::move(constant); }

  /// The value called `name`; makes the Reshape of a flattening. Constants become values of their own dimensions.
  ValueId value(const std::string& name);
  /// A constant as a value of `ndims` dimensions: its own, after as many ones as are missing (ONNX aligns right).
  ValueId constant_value(const std::string& name, int ndims, const std::string& what);
  ValueId add_constant(const std::string& name, const OnnxConstant& constant, int ndims, const std::string& what);

  /// The shape that `name` has or will have.
  Shape shape(const std::string& name);
  Shape shape(ValueId id) const { return shape_of(network_.value(id)); }

  /// Makes `name` a flattening of `source`.
  void set_flattening(const std::string& name, ValueId source) { flattenings_[name] = source; }
  /// What `name` flattens, if it is a flattening (its Reshape may have been made by now).
  std::optional<ValueId> find_flattening(const std::string& name) const;

  /// What a Reshape made `id` of, if one did.
  std::optional<ValueId> find_reshaped(ValueId id) const;

  /// Adds a node that makes a new value `output` of `shape`.
  ValueId add_node(Node node, const std::string& output, const Shape& shape);
  /// The same with the shape that follows from the operator.
  ValueId add_node(Node node, const std::string& output);

  /// `base`, or `base` with a number if the graph uses that name.
  std::string fresh_name(const std::string& base);

  Network take(const std::string& name);

 private:
  ValueId add_value(Value value);

  const OnnxContents& contents_;
  const OnnxGraph& graph_;
  Network network_{};
  std::unordered_map<std::string, ValueId> values_{};
  std::unordered_map<std::string, OnnxConstant> constants_{};
  std::unordered_map<std::string, ValueId> flattenings_{};
  std::unordered_map<ValueId, ValueId> reshaped_{};  // what a Reshape made of what
  std::unordered_set<std::string> fresh_names_{};
  std::unordered_set<std::string> output_names_{};
};

}  // namespace parconv
