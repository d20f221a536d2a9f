// SPDX-License-Identifier: Apache-2.0
// A node whose inputs are all constants.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "io/onnx/constants/constant_tensor.hpp"
#include "io/onnx/onnx_node.hpp"

namespace parconv {

/// The inputs of a node in memory, and checks that name the node.
class ConstantNode {
 public:
  /// Precondition: all named inputs are constants.
  explicit ConstantNode(NodeReader& reader);

  NodeReader& reader() { return reader_; }
  Attributes& attributes() { return reader_.attributes(); }
  const std::string& op_type() const { return reader_.op_type(); }
  index_t opset() const { return reader_.opset(); }
  [[noreturn]] void refuse(const std::string& message) const { reader_.refuse(message); }

  std::size_t num_inputs() const { return inputs_.size(); }
  bool has_input(std::size_t k) const { return k < inputs_.size() && inputs_[k].has_value(); }
  /// Throws if it is missing.
  const ConstantTensor& input(std::size_t k) const;
  /// The elements of an integer input. Throws for other types.
  const std::vector<index_t>& integers(std::size_t k, const char* what) const;
  /// The single element of an integer input.
  index_t integer(std::size_t k, const char* what) const;

  /// An index in [0, count), from one that may count from the end. Throws if it is out of range.
  index_t resolved(index_t index, index_t count, const char* what) const;
  /// Attribute axis as a dimension of `ndims`.
  std::size_t axis(index_t otherwise, std::size_t ndims);
  /// Checks the size of a result before it is made. Throws if it exceeds the bound on constants.
  index_t checked_count(const Dims& dims) const;
  /// Dimensions to which all broadcast, aligned at the last one. Throws if they do not.
  Dims broadcast(std::span<const Dims> all) const;

 private:
  NodeReader& reader_;
  std::vector<std::optional<ConstantTensor>> inputs_{};
};

/// The outputs of a node, in order; none if the operator cannot be evaluated for these types or attributes.
using Evaluated = std::vector<ConstantTensor>;
using Evaluate = Evaluated (*)(ConstantNode&);

struct EvaluationRow {
  std::string_view op_type;
  Evaluate evaluate;
};

/// Operators by kind, each in alphabetical order.
std::span<const EvaluationRow> arithmetic_evaluations();
std::span<const EvaluationRow> move_evaluations();
std::span<const EvaluationRow> index_evaluations();
std::span<const EvaluationRow> generator_evaluations();
std::span<const EvaluationRow> reduction_evaluations();

/// Bound on the elements of one constant that is evaluated.
inline constexpr index_t max_evaluated_elements = index_t{1} << 24;

}  // namespace parconv
