// SPDX-License-Identifier: Apache-2.0
// The blocks of an output in its file, which every rank writes by system calls: a rank that fails holds no other one up.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv::hdf5 {

/// Blocks at even distances in a file, in the order of their indices. Blocks at the edges are stored in full.
struct BlockStorage {
  std::vector<Axis> axes{};  ///< slowest first
  Extents extents{};
  Extents chunk{};
  index_t elem_bytes = 4;
  index_t first_byte = 0;
  index_t stride_bytes = 0;

  index_t num_blocks() const;
  index_t block_bytes() const;
  /// From the first block to the end of the last one.
  Interval bytes() const;
  /// The first element of a block.
  Extents first_of(index_t block) const;
  /// The number of the block that holds an element.
  index_t block_of(const Extents& element) const;

  friend bool operator==(const BlockStorage&, const BlockStorage&) = default;
};

/// Where elements are written.
struct WrittenFile {
  int descriptor = -1;
  const std::string& path;
  /// Ranks of several hosts write it: each run of bytes is then locked while it is written. On NFS two hosts that write parts of
  /// one page could otherwise overwrite each other's bytes by what they have cached (ROMIO's driver for NFS locks, too).
  bool is_shared_by_hosts = false;
};

/// Writes the elements of `box`, dense in the order of the file. Thread-safe for boxes that are disjoint. Throws Error(Io).
void write_elements(const WrittenFile& file, const BlockStorage& storage, const Box& box, std::span<const std::byte> elements);

}  // namespace parconv::hdf5
