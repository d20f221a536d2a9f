// SPDX-License-Identifier: Apache-2.0
// Groups, datasets and attributes of an output file. One rank writes them.
#pragma once

#include <string>
#include <vector>

#include "io/hdf5/hdf5_handle.hpp"
#include "io/hdf5/hdf5_layout.hpp"
#include "io/hdf5/output/hdf5_block_storage.hpp"
#include "parconv/io/hdf5/hdf5_sink.hpp"

namespace parconv::hdf5 {

/// Description of the output dataset.
struct OutputDataset {
  std::string name{};
  FileLayout layout{};
  Extents extents{};
  Extents chunk{};
  DType type = DType::F32;

  /// From the root of the file.
  std::string path() const { return concat("output/", name); }
};

/// Axis names in file order: "n", "c", "z", "y", "x".
std::vector<std::string> scale_names(const FileLayout& layout);

/// A valid dataset name within /output: no '/', not ".", and not that of a scale.
std::string valid_dataset_name(const std::string& name, const FileLayout& layout);

/// Creates a group under `parent`.
Handle create_group(hid_t parent, const char* name);

/// Creation properties of files and groups that index links by creation order.
Handle ordered_links(hid_t property_class);

/// Creates the root attributes and the group /output, without elements.
void create_output(hid_t file, const OutputDataset& output);

/// The blocks of the dataset in its file. Throws Error(Io) if HDF5 did not allocate them at even distances.
BlockStorage block_storage(hid_t dataset, const OutputDataset& output);

/// Writes the group /provenance, except `finished`.
void write_provenance(hid_t file, const Provenance& provenance);
void write_finished(hid_t file, const std::string& finished);

}  // namespace parconv::hdf5
