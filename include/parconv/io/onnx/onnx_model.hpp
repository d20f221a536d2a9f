// SPDX-License-Identifier: Apache-2.0
// ONNX model files, loaded without their weights.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parconv/io/named_files.hpp"

namespace parconv {

struct OnnxContents;

/// An ONNX file with its structure in memory and its weights on disk: tensors over 1 KiB are kept as file offsets. Cheap enough
/// to load on every rank; copies share the contents. Local.
class OnnxModel {
 public:
  /// Loads the structure of `path`. Throws Error(InputMissing) if the file cannot be opened and Error(BadData) if it is not an
  /// ONNX model, is truncated, or has more than 100,000 nodes.
  explicit OnnxModel(const std::string& path);

  const std::string& path() const;
  /// The model's file, then those beside it with its external data.
  std::vector<NamedFile> files() const;
  /// Internal: for the reader and the summary.
  const OnnxContents& contents() const { return *contents_; }

 private:
  std::shared_ptr<const OnnxContents> contents_;
};

}  // namespace parconv
