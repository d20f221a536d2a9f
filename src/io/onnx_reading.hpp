// Reading a model node by node, shared by the reader and the summary.
#pragma once

#include <string>

#include "io/onnx_builder.hpp"
#include "io/onnx_inputs.hpp"
#include "io/onnx_node.hpp"
#include "io/onnx_types.hpp"
#include "parconv/io/onnx_reader.hpp"

namespace parconv {

/// The steps of reading, in this order: construct, begin, read_node for every node of graph().nodes, finish.
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
  NetworkBuilder network_;
  ElementTypes types_;
};

/// Why the operator of `node` is not supported at all; empty if it is.
std::string unsupported_reason(const onnx::NodeProto& node);

/// Version of the default operator set; 0 if the model does not state it.
index_t opset_of(const OnnxContents& contents);

}  // namespace parconv
