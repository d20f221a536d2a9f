// An ONNX model file, read without its weights.
#pragma once

#include <memory>
#include <string>

namespace parconv {

struct OnnxContents;

/// An ONNX file whose structure is in memory and whose weights are not: tensors over 1 KiB are remembered by their place in the
/// file. Cheap enough for every rank to load its own; copies share the contents. Local, not collective.
class OnnxModel {
 public:
  /// Reads the structure of `path`. Throws Error(InputMissing) if the file cannot be opened and Error(BadData) if it is not an
  /// ONNX model, is cut off, or has more than 100,000 nodes.
  explicit OnnxModel(const std::string& path);

  const std::string& path() const;
  /// For the reader and the summary only.
  const OnnxContents& contents() const { return *contents_; }

 private:
  std::shared_ptr<const OnnxContents> contents_;
};

}  // namespace parconv
