// Which dimensions the network's inputs get: the model's, the data's.
#pragma once

#include <string>
#include <vector>

#include "io/onnx_graph.hpp"
#include "parconv/io/onnx_reader.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {

struct ResolvedInput {
  std::string name{};
  Shape shape{};
};

struct ResolvedInputs {
  /// Those that a node or output uses, in the model's order.
  std::vector<ResolvedInput> inputs{};
  /// Samples of the data.
  index_t batch = 1;
  /// What the model's first input fixes the samples to; 0: it does not.
  index_t model_batch = 0;
};

/// One dimension as the model states it: a number, or 0 and a name (empty: nothing is stated).
struct DeclaredDim {
  index_t size = 0;
  std::string symbol{};
};

/// The dimensions of an input or output as the model states them. Throws Error(BadData) if one is not positive.
std::vector<DeclaredDim> declared_dims(const onnx::ValueInfoProto& info);

/// True if the model states the rank.
bool has_dims(const onnx::ValueInfoProto& info);

/// Throws Error(BadData) naming the input, the model's dimensions and the data's where they do not agree.
ResolvedInputs resolve_inputs(const OnnxGraph& graph, const ReadOptions& options);

}  // namespace parconv
