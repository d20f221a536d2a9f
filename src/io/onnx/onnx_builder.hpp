// SPDX-License-Identifier: Apache-2.0
// Network under construction, indexed by names of the ONNX graph.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "io/onnx/file/onnx_graph.hpp"
#include "io/onnx/file/onnx_tensor.hpp"
#include "parconv/model/network.hpp"
#include "parconv/model/rearrangement.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {

/// A value after a chain of Reshape, Transpose and similar operators: its elements in another order or with other dimensions,
/// possibly more than five.
struct Chain {
  ValueId source = -1;
  Rearrange moves{};
  std::string node{};  ///< node that ends the chain
};

/// A name of the graph is one of: a constant; a value of the network; or a chain, which is made, in one move, only if it
/// is read: another Reshape or Transpose makes it longer, and a Gemm can read the value before a Flatten.
class OnnxNetworkBuilder {
 public:
  /// `graph` and `contents` must outlive this.
  OnnxNetworkBuilder(const OnnxContents& contents, const OnnxGraph& graph) : contents_(contents), graph_(graph) {}

  const OnnxGraph& graph() const { return graph_; }
  const std::string& model_path() const { return contents_.path; }

  ValueId add_input(const std::string& name, const Shape& shape);
  /// Marks the value as a network output; a constant or an input is copied.
  void add_output(const std::string& name);

  /// The constant called `name`, or null if there is none.
  const OnnxConstant* find_constant(const std::string& name);
  void set_constant(const std::string& name, OnnxConstant constant) { constants_[name] = std::move(constant); }
  /// Adds to the elements of constants that were evaluated, and returns their number.
  index_t count_evaluated(index_t elements) { return num_evaluated_ += elements; }

  /// The value called `name`; materialises a chain. Constants become values with their own dimensions.
  ValueId value(const std::string& name);
  /// A constant as a value of `ndims` dimensions, with leading ones prepended (ONNX aligns trailing dimensions).
  ValueId constant_value(const std::string& name, int ndims, const std::string& what);
  ValueId add_constant(const std::string& name, const OnnxConstant& constant, int ndims, const std::string& what);

  /// The shape of `name`, materialised or not.
  Shape shape(const std::string& name);
  Shape shape(ValueId id) const { return shape_of(network_.value(id)); }
  /// The dimensions of `name`; a chain may have any number.
  std::vector<index_t> dims(const std::string& name);

  /// The chain `name`, or an empty chain from the value `name`. Precondition: `name` is not a constant.
  Chain chain(const std::string& name);
  /// The same, reshaped to `dims`: an extended chain, or a new one from the materialised value if the two do not compose.
  Chain reshaped_chain(const std::string& name, const std::vector<index_t>& dims);
  void set_chain(const std::string& name, Chain chain) { chains_[name] = std::move(chain); }
  /// True if `name` is a value, chain or constant: the output of a node that has been read, for example.
  bool is_known(const std::string& name);
  /// The chain `name`, materialised or not; null if `name` is not a chain.
  const Chain* find_chain(const std::string& name) const;

  /// Defines `name` as a chain that reshapes `source` to (n, remaining elements).
  void set_flattening(const std::string& name, ValueId source);
  /// The source value if `name` is such a flattening.
  std::optional<ValueId> find_flattening(const std::string& name) const;

  /// Adds a node with the new output value `output` of `shape`.
  ValueId add_node(Node node, const std::string& output, const Shape& shape);
  /// The same with the shape inferred from the operator.
  ValueId add_node(Node node, const std::string& output);

  /// `base`, with a numeric suffix if the graph already uses that name.
  std::string fresh_name(const std::string& base);

  Network take(const std::string& name);

 private:
  ValueId add_value(Value value);
  /// The constant of an output. Throws Error(BadData) for integers that f32 would round.
  ValueId exact_constant(const std::string& name);
  /// Materialises a chain of 1 to 5 dimensions by one or two nodes.
  ValueId make_chain(const std::string& name, const Chain& chain);
  /// A Reshape to the factors of a chain that is not aligned with the axes of its source.
  ValueId make_factors(const std::string& name, const Chain& chain);

  const OnnxContents& contents_;
  const OnnxGraph& graph_;
  Network network_{};
  std::unordered_map<std::string, ValueId> values_{};
  std::unordered_map<std::string, OnnxConstant> constants_{};
  std::unordered_map<std::string, Chain> chains_{};
  std::unordered_set<std::string> fresh_names_{};
  std::unordered_set<std::string> output_names_{};
  index_t num_evaluated_ = 0;
};

}  // namespace parconv
