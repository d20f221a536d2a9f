// SPDX-License-Identifier: Apache-2.0
// Loading ONNX files without the data of large tensors.
#pragma once

#include <string>
#include <vector>

#include "onnx/onnx_pb.h"
#include "parconv/core/types.hpp"

namespace parconv {

/// The structure of a model. Tensors whose data stays in the file have `segment` {begin, end}: the byte range of their
/// little-endian elements in the model file. Models that use segments themselves are rejected, so there is no ambiguity.
struct OnnxContents {
  std::string path{};
  onnx::ModelProto proto{};
  index_t num_sparse_initializers = 0;
  /// The default attributes of each function of the model.
  std::vector<onnx::NodeProto> function_defaults{};
  /// Operator set of each node, if nodes were inlined; else empty, and all have that of the model.
  std::vector<index_t> node_opsets{};
};

/// Scans the file once, skipping documentation, metadata, activation shapes, nested graphs, and the data of tensors over 1 KiB.
/// Throws Error(InputMissing) or Error(BadData).
OnnxContents load_onnx(const std::string& path);

/// Limit on the number of nodes, and of initializers.
inline constexpr index_t max_onnx_nodes = 100'000;
/// Approximate limit on the memory of a model's structure, excluding the data of large tensors.
inline constexpr index_t max_onnx_structure_bytes = index_t{256} << 20;

}  // namespace parconv
