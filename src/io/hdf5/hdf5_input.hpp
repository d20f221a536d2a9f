// SPDX-License-Identifier: Apache-2.0
// Opening and validating an input dataset before the first read.
#pragma once

#include <string>
#include <vector>

#include "io/hdf5/hdf5_handle.hpp"
#include "parconv/core/types.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"

namespace parconv::hdf5 {

/// An open, validated dataset.
struct InputDataset {
  Handle file{};
  Handle dataset{};
  Handle memory_type{};  ///< `dtype` in native byte order
  std::string path{};    ///< of the file
  std::string name{};    ///< "FILE:/path", for messages
  std::vector<index_t> dims{};
  std::vector<index_t> chunk{};  ///< empty for contiguous storage
  DType dtype = DType::F32;
  std::string layout{};  ///< the attribute 'layout'; may be empty
};

/// "FILE:/path", split; the path may be empty.
struct InputPath {
  std::string file{};
  std::string dataset{};
};

/// Splits at the last ":/", unless `text` as a whole names an existing file.
InputPath split_input_path(const std::string& text);

/// Access to a file for reading by this process only.
Handle reading_access(const Attempt& opening);

/// Opens a file for reading on this rank only. Throws Error(InputMissing), or Error(BadData) if it is not a complete HDF5 file.
Handle open_input_file(const std::string& path);

/// All datasets of a file; external links are not followed.
std::vector<Hdf5DatasetInfo> list_datasets(hid_t file);

/// Opens the named dataset, or the only numeric one of rank 2 to 5. Throws Error(InputMissing or BadData).
InputDataset open_input_dataset(const InputPath& path);

}  // namespace parconv::hdf5
