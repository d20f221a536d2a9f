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
#include "parconv/model/rearrangement.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {

/// Elements of a value in another order or under other dimensions, of which there may be more than five: what Reshape, Transpose
/// and the like make of it.
struct Chain {
  ValueId source = -1;
  Rearrange moves{};
  std::string node{};  ///< the node that ends the chain
};

/// A name of the graph is one of: a constant; a value of the network; or a chain, which is made, in one move, only if somebody
/// reads it: another Reshape or Transpose makes it longer, and a Gemm can read the value before a Flatten.
class NetworkBuilder {
 public:
  /// `graph` and `contents` must outlive this.
  NetworkBuilder(const OnnxContents& contents, const OnnxGraph& graph) : contents_(contents), graph_(graph) {}

  const OnnxGraph& graph() const { return graph_; }
  const std::string& model_path() const { return contents_.path; }

  ValueId add_input(const std::string& name, const Shape& shape);
  /// Makes the value an output.
  void add_output(const std::string& name);

  /// The constant called `name`, or null if the name is not one.
  const OnnxConstant* find_constant(const std::string& name);
  void set_constant(const std::string& name, OnnxConstant constant) { constants_[name] = std::move(constant); }

  /// The value called `name`; makes what a chain stands for. Constants become values of their own dimensions.
  ValueId value(const std::string& name);
  /// A constant as a value of `ndims` dimensions: its own, after as many ones as are missing (ONNX aligns right).
  ValueId constant_value(const std::string& name, int ndims, const std::string& what);
  ValueId add_constant(const std::string& name, const OnnxConstant& constant, int ndims, const std::string& what);

  /// The shape that `name` has or will have.
  Shape shape(const std::string& name);
  Shape shape(ValueId id) const { return shape_of(network_.value(id)); }
  /// The dimensions of any name, of which a chain may have any number.
  std::vector<index_t> dims(const std::string& name);

  /// What `name`, which is no constant, stands for; a chain without moves for a value.
  Chain chain(const std::string& name);
  /// The same with other dimensions: a longer chain, or one that begins with what `name` stands for where that cannot be.
  Chain reshaped_chain(const std::string& name, const std::vector<index_t>& dims);
  void set_chain(const std::string& name, Chain chain) { chains_[name] = std::move(chain); }
  /// Null unless `name` is a chain (which may have been made by now).
  const Chain* find_chain(const std::string& name) const;

  /// Makes `name` a chain that gives `source` the dimensions (n, all the rest).
  void set_flattening(const std::string& name, ValueId source);
  /// The value of which `name` is such a chain.
  std::optional<ValueId> find_flattening(const std::string& name) const;

  /// Adds a node that makes a new value `output` of `shape`.
  ValueId add_node(Node node, const std::string& output, const Shape& shape);
  /// The same with the shape that follows from the operator.
  ValueId add_node(Node node, const std::string& output);

  /// `base`, or `base` with a number if the graph uses that name.
  std::string fresh_name(const std::string& base);

  Network take(const std::string& name);

 private:
  ValueId add_value(Value value);
  /// Adds the node, or the two, that carry a chain of 1 to 5 dimensions out.
  ValueId make_chain(const std::string& name, const Chain& chain);
  /// A Reshape to the factors of a chain, for one that does not line up with the axes of its source.
  ValueId make_factors(const std::string& name, const Chain& chain);

  const OnnxContents& contents_;
  const OnnxGraph& graph_;
  Network network_{};
  std::unordered_map<std::string, ValueId> values_{};
  std::unordered_map<std::string, OnnxConstant> constants_{};
  std::unordered_map<std::string, Chain> chains_{};
  std::unordered_set<std::string> fresh_names_{};
  std::unordered_set<std::string> output_names_{};
};

}  // namespace parconv
