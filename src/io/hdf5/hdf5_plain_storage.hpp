// SPDX-License-Identifier: Apache-2.0
// Contiguous datasets, read by system calls: HDF5 may be called from one thread only, pread from any.
#pragma once

#include <optional>
#include <span>

#include "io/hdf5/hdf5_hyperslabs.hpp"
#include "io/hdf5/hdf5_input.hpp"

namespace parconv::hdf5 {

/// Where the elements of a dataset are, one after the other in native byte order.
struct PlainStorage {
  int descriptor = -1;  ///< HDF5's own, open as long as the dataset
  index_t first_byte = 0;
};

/// None for chunked, compact or unwritten datasets, and for elements in the other byte order.
std::optional<PlainStorage> plain_storage(const InputDataset& input);

/// Reads the elements of `box` in file order. May be called by several threads. Throws Error(Io), naming `name`, if the file
/// cannot be read or ends early.
void read_plain(const PlainStorage& plain, const Storage& storage, const Box& box, std::span<std::byte> elements,
                const std::string& name);

}  // namespace parconv::hdf5
