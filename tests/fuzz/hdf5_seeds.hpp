// SPDX-License-Identifier: Apache-2.0
// Valid HDF5 files to mutate.
#pragma once

#include <filesystem>

namespace parconv::test {

/// Writes small files to `folder`: element types, layouts, filters, groups, attributes and links, in old and new file formats.
void write_hdf5_seeds(const std::filesystem::path& folder);

}  // namespace parconv::test
