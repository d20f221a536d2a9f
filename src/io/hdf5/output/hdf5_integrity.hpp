// SPDX-License-Identifier: Apache-2.0
// Block records, by which a reader can verify the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/hdf5_handle.hpp"
#include "io/hdf5/hdf5_layout.hpp"
#include "parconv/geometry/box.hpp"

namespace parconv::hdf5 {

enum class BlockState : std::uint64_t { Written = 1 };

/// Box of a written block, and the xxh64 (seed 0) of its elements in file order.
struct BlockRecord {
  Box box{};
  std::uint64_t hash = 0;
  BlockState state = BlockState::Written;
};

std::uint64_t hash_of(std::span<const std::byte> bytes);

/// Serialisation of records, for messages between ranks.
std::string packed(std::span<const BlockRecord> records);
void unpack(const std::string& text, std::vector<BlockRecord>& records);

/// Creates /integrity/blocks with `count` rows and returns it. Collective.
Handle create_block_table(hid_t file, index_t count, const FileLayout& layout);
/// Writes the rows. Local; called on one rank.
void write_block_table(hid_t table, std::span<const BlockRecord> records, const FileLayout& layout);
/// Sets the attribute `complete`. Collective.
void write_complete(hid_t file);

}  // namespace parconv::hdf5
