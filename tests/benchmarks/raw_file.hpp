// SPDX-License-Identifier: Apache-2.0
// Files read and written by plain system calls, for comparison.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv::bench {

/// Consecutive bytes of a file.
struct FileRun {
  index_t offset_bytes = 0;
  index_t size_bytes = 0;
};

/// Owner of a file descriptor.
class RawFile {
 public:
  /// Opens for reading.
  explicit RawFile(const std::string& path);
  /// Creates a file with reserved disk space.
  RawFile(const std::string& path, index_t size_bytes);
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  /// Reads the runs one after the other into `memory`, each run by `threads` threads. Throws Error(Io).
  void read(std::span<const FileRun> runs, std::span<std::byte> memory, int threads) const;
  void write(std::span<const FileRun> runs, std::span<const std::byte> memory, int threads) const;
  void sync() const;

 private:
  int descriptor_;
};

}  // namespace parconv::bench
