// The groups, data sets and attributes of an output file. Every function is collective where the file is open on several ranks:
// all ranks make the same calls with the same values.
#pragma once

#include <string>
#include <vector>

#include "io/hdf5_handle.hpp"
#include "io/hdf5_layout.hpp"
#include "parconv/io/hdf5_sink.hpp"

namespace parconv::hdf5 {

/// The tensor of an output file.
struct OutputDataset {
  std::string name{};
  FileLayout layout{};
  Extents extents{};
  Extents chunk{};
};

/// "n", "c", "z", "y", "x": the names of the axes, in the order of the file.
std::vector<std::string> scale_names(const FileLayout& layout);

/// A name that a data set of the group /output can have: no '/', not ".", and not that of a scale.
std::string valid_dataset_name(const std::string& name, const FileLayout& layout);

/// A new group below `parent`.
Handle create_group(hid_t parent, const char* name);

/// Properties of files and groups whose links are listed in the order in which they were made.
Handle ordered_links(hid_t property_class);

/// Writes the root's attributes and the group /output but for the elements; returns the data set. Scales are
/// filled by the ranks that pass `fills_scales`.
Handle create_output(hid_t file, const OutputDataset& output, bool fills_scales);

/// Writes the group /provenance but for `finished`.
void write_provenance(hid_t file, const Provenance& provenance);
void write_finished(hid_t file, const std::string& finished);

}  // namespace parconv::hdf5
