// Tensors whose data lies in a file beside the model.
#pragma once

#include <string>

#include "onnx/onnx_pb.h"
#include "parconv/core/types.hpp"

namespace parconv {

/// A part of a file.
struct FileRange {
  std::string file{};
  index_t offset_bytes = 0;
  index_t size_bytes = 0;
};

/// Where the external data of `tensor` is. The file must be inside the model's folder: no absolute path, no "..", no link that
/// leaves it. Without a stated length it is `needed_bytes`. Throws Error(InputMissing) if the file is not there and
/// Error(BadData) for anything else, beginning with `what`.
FileRange resolve_external(const onnx::TensorProto& tensor, const std::string& model_path, index_t needed_bytes,
                           const std::string& what);

}  // namespace parconv
