// SPDX-License-Identifier: Apache-2.0
// Read-only files with positioned reads.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "parconv/core/types.hpp"

namespace parconv {

/// Owning file descriptor. Reads are positioned, hence safe from several threads.
class InputFile {
 public:
  /// Throws Error(InputMissing) if `path` does not exist, may not be read or is not a regular file, and Error(Io or Config) if
  /// opening it fails otherwise.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  index_t size_bytes() const { return size_bytes_; }
  int descriptor() const { return descriptor_; }

  /// Fills `target` from `offset_bytes`. Throws Error(BadData) if the file is shorter, Error(Io) if reading fails.
  void read(std::span<std::byte> target, index_t offset_bytes) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  index_t size_bytes_ = 0;
};

}  // namespace parconv
