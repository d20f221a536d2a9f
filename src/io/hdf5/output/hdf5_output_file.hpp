// SPDX-License-Identifier: Apache-2.0
// An output file as HDF5 sees it: rank 0 creates and completes it, and every rank reads it back as other programs will.
#pragma once

#include <span>
#include <string>

#include "io/hdf5/output/hdf5_output_layout.hpp"
#include "parconv/io/hdf5/block_record.hpp"

namespace parconv::hdf5 {

/// Creates a file with everything but elements, block records and end, and closes it. Local. Returns the metadata as they were
/// written. Throws Error(CannotCreate or Io).
std::string create_file(const std::string& path, const OutputDataset& output, const Provenance& provenance);

/// What is added at the end.
struct Completion {
  std::span<const BlockRecord> blocks{};
  const std::string& finished;
};

/// Adds block records and end, and closes the file. Local. Returns the metadata as they were written. Throws Error(Io).
std::string complete_file(const std::string& path, const OutputDataset& output, const Completion& completion);

/// An output opened for reading. Local. All functions throw Error(Io).
class OutputReader {
 public:
  OutputReader(const std::string& path, const OutputDataset& output);

  BlockStorage storage() const { return block_storage(dataset_.get(), output_); }
  /// Throws if they are others than those that were written.
  void expect_metadata(const std::string& written) const;
  /// Reads blocks and compares their hashes, one on the calling thread while others are hashed.
  void expect_blocks(std::span<const BlockRecord> records, int threads) const;
  void close();

 private:
  void read(const Box& box, std::span<std::byte> elements) const;
  void expect_hash(const BlockRecord& record, std::span<const std::byte> elements) const;

  std::string path_;
  const OutputDataset& output_;
  Handle file_;
  Handle dataset_;
};

}  // namespace parconv::hdf5
