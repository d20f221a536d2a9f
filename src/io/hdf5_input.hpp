// Opening a data set of an input file, with every check before the first read.
#pragma once

#include <string>
#include <vector>

#include "io/hdf5_handle.hpp"
#include "parconv/core/types.hpp"
#include "parconv/io/hdf5_source.hpp"

namespace parconv::hdf5 {

/// A data set that can be read.
struct InputDataset {
  Handle file{};
  Handle dataset{};
  Handle memory_type{};  ///< of `dtype` in this machine's byte order
  std::string name{};    ///< "FILE:/path", for messages
  std::vector<index_t> dims{};
  std::vector<index_t> chunk{};  ///< empty for contiguous storage
  DType dtype = DType::F32;
  std::string layout{};  ///< the attribute 'layout', or empty
};

/// "FILE:/path" in two parts; the path is empty if there is none.
struct InputPath {
  std::string file{};
  std::string dataset{};
};

/// Splits at the last ":/", unless all of `text` is the name of an existing file.
InputPath split_input_path(const std::string& text);

/// Opens a file for reading by this rank alone. Throws Error(InputMissing) or, if it is not a whole HDF5 file, Error(BadData).
Handle open_input_file(const std::string& path);

/// All data sets of a file, links to other files not followed.
std::vector<Hdf5DatasetInfo> list_datasets(hid_t file);

/// Opens the named data set, or the only numeric one of rank 2 to 5. Throws Error(InputMissing or BadData).
InputDataset open_input_dataset(const InputPath& path);

}  // namespace parconv::hdf5
