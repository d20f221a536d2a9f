// SPDX-License-Identifier: Apache-2.0
// Contents of an ONNX model, and how far it is supported.
#pragma once

#include <string>
#include <vector>

#include "parconv/io/onnx/onnx_reader.hpp"

namespace parconv {

struct TensorSummary {
  std::string name{};
  /// Element type as named by ONNX: "float", "float16", ...
  std::string type{};
  /// Sizes, symbolic names, or "?".
  std::vector<std::string> dims{};
};

struct NodeSummary {
  std::string name{};
  std::string op_type{};
  /// Reason for which the node is rejected; empty if it is supported.
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
  /// In file order, including nodes on which no output depends.
  std::vector<NodeSummary> nodes{};
  /// Total elements of all initializers.
  index_t num_parameters = 0;
  /// Problem of the model as a whole; empty if there is none. Node attributes are checked as far as shapes are known.
  std::string problem{};

  bool is_supported() const;
};

/// Summarises `model`. Problems for which `read_network` throws are reported in the result. `options` provide dimensions that
/// the model leaves open.
ModelSummary summarize(const OnnxModel& model, const ReadOptions& options = {});

}  // namespace parconv
