// SPDX-License-Identifier: Apache-2.0
// Block records, by which a reader can verify the file.
#pragma once

#include <cstdint>
#include <span>

#include "io/hdf5/hdf5_handle.hpp"
#include "io/hdf5/hdf5_layout.hpp"
#include "parconv/io/hdf5/block_record.hpp"

namespace parconv::hdf5 {

std::uint64_t hash_of(std::span<const std::byte> bytes);

/// Creates /integrity/blocks.
void write_block_table(hid_t file, std::span<const BlockRecord> records, const FileLayout& layout);
/// Sets the attribute `complete`.
void write_complete(hid_t file);

}  // namespace parconv::hdf5
