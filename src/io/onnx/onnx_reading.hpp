// SPDX-License-Identifier: Apache-2.0
// Node-by-node reading of a model, shared by the reader and the summary.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "io/onnx/onnx_builder.hpp"
#include "io/onnx/onnx_inputs.hpp"
#include "io/onnx/onnx_node.hpp"
#include "io/onnx/onnx_problems.hpp"
#include "io/onnx/onnx_types.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"

namespace parconv {

/// Phases of reading, in call order: construct, begin, read_nodes, finish.
class ModelReading {
 public:
  /// Checks the graph and the opset. Throws Error(BadData). `contents` must outlive this.
  explicit ModelReading(const OnnxContents& contents);
  ModelReading(const ModelReading&) = delete;
  ModelReading& operator=(const ModelReading&) = delete;

  const OnnxGraph& graph() const { return graph_; }

  void begin(const ReadOptions& options);
  /// Reads all nodes but those that cannot be read, and those that depend on them. Throws errors other than BadData.
  void read_nodes();
  /// Of the nodes that were refused, in the order of the graph.
  const std::vector<NodeProblem>& problems() const { return problems_; }
  /// Precondition: no problems.
  Network finish();

 private:
  void try_node(const onnx::NodeProto& node);
  void read_node(const onnx::NodeProto& node);
  void refuse(const onnx::NodeProto& node, NodeProblem problem);
  bool is_unknown(const std::string& name) const;

  const OnnxContents& contents_;
  OnnxGraph graph_;
  ReadContext context_{};
  OnnxNetworkBuilder network_;
  ElementTypes types_;
  std::vector<NodeProblem> problems_{};
  std::unordered_set<std::string> unknown_{};  ///< values that a refused node would have made
};

/// Reason for which the operator of `node` is unsupported; empty if it is supported.
std::string unsupported_reason(const onnx::NodeProto& node);

/// Version of the default opset; 0 if the model does not state it.
index_t opset_of(const OnnxContents& contents);

}  // namespace parconv
