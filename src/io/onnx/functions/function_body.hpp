// SPDX-License-Identifier: Apache-2.0
// Functions that a node can call: those of the model, and those by which ONNX defines operators.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/onnx/file/onnx_file.hpp"

namespace parconv {

/// A function with its default attributes, which older versions of the classes of ONNX do not have.
struct FunctionBody {
  onnx::FunctionProto proto{};
  onnx::NodeProto defaults{};

  /// Operator set of the default domain; 0 if none is stated.
  index_t opset() const;
};

/// Empty for the default domain, which has two names.
std::string domain_of(const std::string& name);

/// The functions of a model by domain and name.
class ModelFunctions {
 public:
  /// Takes the functions out of `contents`. Throws Error(BadData) for two of one name.
  explicit ModelFunctions(OnnxContents& contents);

  bool is_empty() const { return functions_.empty(); }
  /// Null if the model has no such function.
  std::shared_ptr<const FunctionBody> find(const onnx::NodeProto& node) const;

 private:
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const FunctionBody>> functions_{};
};

/// The function by which ONNX defines the operator of `node` in operator set `opset`, for inputs of these element types; null if
/// there is none, or if the node breaks the rules of its operator.
std::shared_ptr<const FunctionBody> function_of_operator(const onnx::NodeProto& node, index_t opset,
                                                         const std::vector<int>& input_types);

}  // namespace parconv
