// SPDX-License-Identifier: Apache-2.0
// Conversion of an ONNX model to a Network with complete shapes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parconv/io/onnx/onnx_model.hpp"
#include "parconv/model/network.hpp"

namespace parconv {

/// Dimensions of the data of one network input, in ONNX order and with the input's rank.
struct InputDims {
  /// If empty: the first input.
  std::string name{};
  std::vector<index_t> dims{};
};

struct ReadOptions {
  /// Inputs not listed have the dimensions stated in the model.
  std::vector<InputDims> inputs{};
  /// Number of samples of the inputs not listed. Default: that of listed inputs, else that fixed by the model, else 1.
  std::optional<index_t> batch{};
};

/// An input of the network that read_network returns.
struct ModelInput {
  std::string name{};
  /// ONNX rank stated by the model; 0 if none is.
  int ndims = 0;
};

/// Inputs of the model's network, in model order: graph inputs that are used and have no initializer. Local. Throws
/// Error(BadData) for a graph that violates the ONNX specification or has no inputs.
std::vector<ModelInput> inputs_of(const OnnxModel& model);

/// Converts a model to a validated network of one node per operator (see fuse), with the model's names. The data determines
/// symbolic dimensions and always the number of samples; other dimensions fixed by the model must agree with it. Reads only
/// small tensors; large weights remain references. Local. Throws Error(BadData) naming the node and the unusable attribute or
/// input, or listing all unsupported operators, and Error(InputMissing) if a file of external data does not exist.
Network read_network(const OnnxModel& model, const ReadOptions& options = {});

}  // namespace parconv
