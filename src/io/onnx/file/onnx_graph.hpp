// SPDX-License-Identifier: Apache-2.0
// Names and topological order of an ONNX graph.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/onnx/file/onnx_file.hpp"

namespace parconv {

/// A validated graph: acyclic, in static single assignment form, with every name that is read defined. Views point into
/// `proto`.
struct OnnxGraph {
  const onnx::GraphProto* proto = nullptr;
  /// Inputs without an initializer.
  std::vector<const onnx::ValueInfoProto*> inputs{};
  std::unordered_map<std::string_view, const onnx::TensorProto*> initializers{};
  /// Nodes on which an output depends, in topological order, otherwise in file order.
  std::vector<const onnx::NodeProto*> nodes{};
  /// Number of uses of a value by node inputs and graph outputs; absent if 0.
  std::unordered_map<std::string_view, int> num_uses{};
  /// Of nodes that were inlined; the others have that of the model.
  std::unordered_map<const onnx::NodeProto*, index_t> opsets{};

  bool is_used(const std::string& name) const { return num_uses.contains(name); }
};

/// Validates and indexes a graph. Throws Error(BadData) naming a duplicate or undefined name or a member of a cycle. `contents`
/// must outlive the result.
OnnxGraph index_graph(const OnnxContents& contents);

/// "node 'conv1' (Conv)"; an unnamed node is identified by its first output.
std::string label_of(const onnx::NodeProto& node);

/// The node's name, or that of its first output.
std::string name_of(const onnx::NodeProto& node);

}  // namespace parconv
