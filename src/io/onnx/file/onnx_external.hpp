// SPDX-License-Identifier: Apache-2.0
// ONNX external data: tensors stored in files beside the model.
#pragma once

#include <string>
#include <vector>

#include "onnx/onnx_pb.h"
#include "parconv/core/types.hpp"

namespace parconv {

/// A byte range of a file.
struct FileRange {
  std::string file{};
  index_t offset_bytes = 0;
  index_t size_bytes = 0;
};

/// Locates the external data of `tensor`. The file must be inside the model's folder: no absolute path, no "..", no link that
/// leaves it. The length defaults to `needed_bytes`. Throws Error(InputMissing) if the file does not exist and Error(BadData)
/// for any other problem, with a message that begins with `what`.
FileRange resolve_external(const onnx::TensorProto& tensor, const std::string& model_path, index_t needed_bytes,
                           const std::string& what);

/// The files that hold external data of the model's initializers and constants, without repetition; missing ones are left out.
std::vector<std::string> external_files(const onnx::ModelProto& model, const std::string& model_path);

}  // namespace parconv
