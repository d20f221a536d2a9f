// The names and the order of an ONNX graph.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/onnx_file.hpp"

namespace parconv {

/// A checked graph: every name is made once, every name that is read is made, and there is no cycle. Views point into `proto`.
struct OnnxGraph {
  const onnx::GraphProto* proto = nullptr;
  /// Inputs that no initializer gives a value.
  std::vector<const onnx::ValueInfoProto*> inputs{};
  std::unordered_map<std::string_view, const onnx::TensorProto*> initializers{};
  /// Nodes that an output depends on, each after those it reads from; otherwise in the order of the file.
  std::vector<const onnx::NodeProto*> nodes{};
  /// How many node inputs and graph outputs name a value; 0 entries are left out.
  std::unordered_map<std::string_view, int> num_uses{};

  bool is_used(const std::string& name) const { return num_uses.contains(name); }
};

/// Throws Error(BadData) naming what is duplicated, missing or part of a cycle. `contents` must outlive the result.
OnnxGraph index_graph(const OnnxContents& contents);

/// "node 'conv1' (Conv)"; a node without a name is called by its first output.
std::string label_of(const onnx::NodeProto& node);

/// Its name, or the name of its first output.
std::string name_of(const onnx::NodeProto& node);

}  // namespace parconv
