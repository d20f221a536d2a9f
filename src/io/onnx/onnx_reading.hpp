// SPDX-License-Identifier: Apache-2.0
// Node-by-node reading of a model, shared by the reader and the summary.
#pragma once

#include <string>

#include "io/onnx/onnx_builder.hpp"
#include "io/onnx/onnx_inputs.hpp"
#include "io/onnx/onnx_node.hpp"
#include "io/onnx/onnx_types.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"

namespace parconv {

/// Phases of reading, in call order: construct, begin, read_node for each of graph().nodes, finish.
class ModelReading {
 public:
  /// Checks the graph and the opset. Throws Error(BadData). `contents` must outlive this.
  explicit ModelReading(const OnnxContents& contents);
  ModelReading(const ModelReading&) = delete;
  ModelReading& operator=(const ModelReading&) = delete;

  const OnnxGraph& graph() const { return graph_; }

  void begin(const ReadOptions& options);
  void read_node(const onnx::NodeProto& node);
  Network finish();

 private:
  const OnnxContents& contents_;
  OnnxGraph graph_;
  ReadContext context_{};
  OnnxNetworkBuilder network_;
  ElementTypes types_;
};

/// Reason for which the operator of `node` is unsupported; empty if it is supported.
std::string unsupported_reason(const onnx::NodeProto& node);

/// Version of the default opset; 0 if the model does not state it.
index_t opset_of(const OnnxContents& contents);

}  // namespace parconv
