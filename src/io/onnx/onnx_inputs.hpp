// SPDX-License-Identifier: Apache-2.0
// Dimensions of the network inputs, resolved from the model and the data.
#pragma once

#include <string>
#include <vector>

#include "io/onnx/file/onnx_graph.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {

struct ResolvedInput {
  std::string name{};
  Shape shape{};
};

struct ResolvedInputs {
  /// Inputs used by a node or output, in model order.
  std::vector<ResolvedInput> inputs{};
  /// Number of samples of the data.
  index_t batch = 1;
  /// Number of samples fixed by the model's first input; 0 if open.
  index_t model_batch = 0;
};

/// One dimension as stated in the model: a size, or 0 and a symbol (empty if unstated).
struct DeclaredDim {
  index_t size = 0;
  std::string symbol{};
};

/// Dimensions of an input or output as stated in the model. Throws Error(BadData) if one is not positive.
std::vector<DeclaredDim> declared_dims(const onnx::ValueInfoProto& info);

/// True if the model states the rank.
bool has_dims(const onnx::ValueInfoProto& info);

/// Throws Error(BadData) naming the input, its dimensions in the model and those of the data if they disagree.
ResolvedInputs resolve_inputs(const OnnxGraph& graph, const ReadOptions& options);

}  // namespace parconv
