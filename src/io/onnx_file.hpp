// Reading an ONNX file without the bytes of its big tensors.
#pragma once

#include <string>

#include "onnx/onnx_pb.h"
#include "parconv/core/types.hpp"

namespace parconv {

/// The structure of a model. A tensor whose data was left in the file has `segment` {begin, end}: the bytes of the model file
/// that hold its elements in little-endian order. (Files that use segments themselves are refused, so there is no confusion.)
struct OnnxContents {
  std::string path{};
  onnx::ModelProto proto{};
  index_t num_sparse_initializers = 0;
};

/// Walks over the file once, skipping what is not needed: documentation, metadata, shapes of activations, nested graphs, and data
/// of tensors over 1 KiB. Throws Error(InputMissing) or Error(BadData).
OnnxContents load_onnx(const std::string& path);

/// Nodes and initializers that a model may have.
inline constexpr index_t max_onnx_nodes = 100'000;
/// Bytes that the structure of a model may take in memory, about, without the data of big tensors.
inline constexpr index_t max_onnx_structure_bytes = index_t{256} << 20;

}  // namespace parconv
