// From an ONNX model to a Network with complete shapes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parconv/io/onnx_model.hpp"
#include "parconv/model/network.hpp"

namespace parconv {

/// Dimensions of the data for one network input, in ONNX order and with the input's rank.
struct InputDims {
  /// Empty: the first input.
  std::string name{};
  std::vector<index_t> dims{};
};

struct ReadOptions {
  /// Inputs that are not listed take the model's own dimensions.
  std::vector<InputDims> inputs{};
  /// Samples of inputs that are not listed. Without it: what listed inputs have, else what the model fixes, else 1.
  std::optional<index_t> batch{};
};

/// An input of the network that read_network makes.
struct ModelInput {
  std::string name{};
  /// ONNX rank that the model states; 0 if it states none.
  int ndims = 0;
};

/// The inputs of the network of a model, in its order: those that something reads and no initializer gives a value. Throws
/// Error(BadData) for a graph that breaks the rules of ONNX, or has no inputs.
std::vector<ModelInput> inputs_of(const OnnxModel& model);

/// The network of a model, one node per operator (see fuse), validated; names are those of the model. Data decides symbolic
/// dimensions and always the number of samples; other dimensions that the model fixes must agree. Throws Error(BadData) naming
/// the node and the attribute or input that cannot be used; all unsupported operators are listed in one error. Throws
/// Error(InputMissing) if a file of external data is not there. Reads only small tensors; big weights stay references.
Network read_network(const OnnxModel& model, const ReadOptions& options = {});

}  // namespace parconv
