// What is in an ONNX model and what of it can be used.
#pragma once

#include <string>
#include <vector>

#include "parconv/io/onnx_reader.hpp"

namespace parconv {

struct TensorSummary {
  std::string name{};
  /// Element type in ONNX words: "float", "float16", ...
  std::string type{};
  /// Numbers, symbolic names, or "?".
  std::vector<std::string> dims{};
};

struct NodeSummary {
  std::string name{};
  std::string op_type{};
  /// Why the node cannot be used; empty if it is supported.
  std::string problem{};
};

struct ModelSummary {
  std::string path{};
  std::string name{};
  std::string producer{};
  index_t ir_version = 0;
  index_t opset = 0;
  std::vector<TensorSummary> inputs{};
  std::vector<TensorSummary> outputs{};
  /// In the order of the file; nodes that no output needs included.
  std::vector<NodeSummary> nodes{};
  /// Elements of all initializers.
  index_t num_parameters = 0;
  /// What is wrong with the model as a whole; empty if nothing is. Attributes of nodes are checked as far as shapes are known.
  std::string problem{};

  bool is_supported() const;
};

/// Describes `model`; does not throw for what `read_network` would refuse. `options` give dimensions that the model leaves open.
ModelSummary summarize(const OnnxModel& model, const ReadOptions& options = {});

}  // namespace parconv
