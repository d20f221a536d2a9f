// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/output/hdf5_output_layout.hpp"

#include <algorithm>
#include <numeric>

#include "io/hdf5/hdf5_attributes.hpp"
#include "io/hdf5/hdf5_types.hpp"

namespace parconv::hdf5 {
namespace {

constexpr Attempt laying_out{.action = "create", .object = "the groups of the output", .code = ExitCode::Io};

const char* scale_name(Axis axis, const FileLayout& layout) {
  switch (axis) {
    case Axis::N:
      return "n";
    case Axis::C:
      return "c";
    case Axis::D:
      return "z";
    case Axis::H:
      return layout.ndims == 3 ? "x" : "y";
    case Axis::W:
      return "x";
  }
  return "?";
}

std::string layout_name(const FileLayout& layout) {
  std::string name;
  for (Axis axis : layout.axes) name += layout.ndims == 3 && axis == Axis::H ? 'W' : "NCDHW"[static_cast<std::size_t>(axis)];
  return name;
}

std::vector<hsize_t> sizes_of(const Extents& extents, const FileLayout& layout) {
  std::vector<hsize_t> sizes;
  for (Axis axis : layout.axes) sizes.push_back(static_cast<hsize_t>(extents[axis]));
  return sizes;
}

/// Early allocation, no fill values, and no timestamps, which would make files differ between runs.
Handle early_storage() {
  Handle creation(H5Pcreate(H5P_DATASET_CREATE), &H5Pclose, laying_out);
  check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), laying_out);
  check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), laying_out);
  check(H5Pset_obj_track_times(creation.get(), false), laying_out);
  return creation;
}

Handle create_tensor(hid_t group, const OutputDataset& output) {
  const std::vector<hsize_t> sizes = sizes_of(output.extents, output.layout);
  const std::vector<hsize_t> chunk = sizes_of(output.chunk, output.layout);
  const int rank = static_cast<int>(sizes.size());
  const Handle space(H5Screate_simple(rank, sizes.data(), nullptr), &H5Sclose, laying_out);
  const Handle creation = early_storage();
  check(H5Pset_chunk(creation.get(), rank, chunk.data()), laying_out);
  const Handle type = native_type(output.type);
  return Handle(H5Dcreate2(group, output.name.c_str(), type.get(), space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                &H5Dclose, laying_out);
}

index_t chunk_address(hid_t dataset, const std::vector<hsize_t>& first) {
  haddr_t address = HADDR_UNDEF;
  hsize_t size_bytes = 0;
  unsigned filters = 0;
  check(H5Dget_chunk_info_by_coord(dataset, first.data(), &filters, &address, &size_bytes), laying_out);
  if (address == HADDR_UNDEF) throw Error(ExitCode::Io, "HDF5 did not allocate the blocks of the output");
  return static_cast<index_t>(address);
}

hobj_ref_t reference_to(hid_t group, const std::string& name) {
  hobj_ref_t reference = 0;
  check(H5Rcreate(&reference, group, name.c_str(), H5R_OBJECT, -1), laying_out);
  return reference;
}

/// Dataset and axis that a scale is attached to, as stored by HDF5's dimension scale specification.
struct ScaleUse {
  hobj_ref_t dataset = 0;
  unsigned axis = 0;
};

void write_scale_use(hid_t scale, const ScaleUse& use) {
  const Handle type(H5Tcreate(H5T_COMPOUND, sizeof(ScaleUse)), &H5Tclose, laying_out);
  check(H5Tinsert(type.get(), "dataset", HOFFSET(ScaleUse, dataset), H5T_STD_REF_OBJ), laying_out);
  check(H5Tinsert(type.get(), "dimension", HOFFSET(ScaleUse, axis), H5T_NATIVE_UINT), laying_out);
  write_attribute(scale, "REFERENCE_LIST", {.type = type.get(), .elements = &use, .count = 1});
}

/// A dimension scale with values 0, 1, 2, ...
Handle create_scale(hid_t group, const std::string& name, hsize_t size) {
  const Handle space(H5Screate_simple(1, &size, nullptr), &H5Sclose, laying_out);
  const Handle creation = early_storage();
  Handle scale(H5Dcreate2(group, name.c_str(), H5T_STD_I64LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), &H5Dclose,
               laying_out);
  write_fixed_attribute(scale.get(), "CLASS", "DIMENSION_SCALE");
  write_fixed_attribute(scale.get(), "NAME", name);
  std::vector<std::int64_t> values(size);
  std::iota(values.begin(), values.end(), 0);
  check(H5Dwrite(scale.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), laying_out);
  return scale;
}

/// Attaches a scale to every axis, with references in both directions.
void create_scales(hid_t group, hid_t dataset, const OutputDataset& output) {
  const std::vector<std::string> names = scale_names(output.layout);
  const std::vector<hsize_t> sizes = sizes_of(output.extents, output.layout);
  std::vector<hobj_ref_t> references(names.size());
  std::vector<hvl_t> lists;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const Handle scale = create_scale(group, names[k], sizes[k]);
    write_scale_use(scale.get(), {.dataset = reference_to(group, output.name), .axis = static_cast<unsigned>(k)});
    references[k] = reference_to(group, names[k]);
    lists.push_back({.len = 1, .p = &references[k]});
  }
  const Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), &H5Tclose, laying_out);
  write_attribute(dataset, "DIMENSION_LIST", {.type = type.get(), .elements = lists.data(), .count = lists.size()});
}

}  // namespace

std::vector<std::string> scale_names(const FileLayout& layout) {
  std::vector<std::string> names;
  for (Axis axis : layout.axes) names.emplace_back(scale_name(axis, layout));
  return names;
}

std::string valid_dataset_name(const std::string& name, const FileLayout& layout) {
  std::string valid = name;
  std::replace(valid.begin(), valid.end(), '/', '_');
  const std::vector<std::string> taken = scale_names(layout);
  const bool is_taken = std::find(taken.begin(), taken.end(), valid) != taken.end();
  return is_taken || valid.empty() || valid == "." ? valid + "_values" : valid;
}

Handle ordered_links(hid_t property_class) {
  Handle creation(H5Pcreate(property_class), &H5Pclose, laying_out);
  check(H5Pset_link_creation_order(creation.get(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), laying_out);
  check(H5Pset_obj_track_times(creation.get(), false), laying_out);
  return creation;
}

Handle create_group(hid_t parent, const char* name) {
  const Handle creation = ordered_links(H5P_GROUP_CREATE);
  return Handle(H5Gcreate2(parent, name, H5P_DEFAULT, creation.get(), H5P_DEFAULT), &H5Gclose, laying_out);
}

void create_output(hid_t file, const OutputDataset& output) {
  write_attribute(file, "Conventions", std::string("parconv-1"));
  write_attribute(file, "NX_class", std::string("NXroot"));
  write_attribute(file, "default", std::string("output"));
  const Handle group = create_group(file, "output");
  write_attribute(group.get(), "NX_class", std::string("NXdata"));
  write_attribute(group.get(), "signal", output.name);
  write_attribute(group.get(), "axes", scale_names(output.layout));
  const Handle dataset = create_tensor(group.get(), output);
  write_attribute(dataset.get(), "layout", layout_name(output.layout));
  create_scales(group.get(), dataset.get(), output);
}

BlockStorage block_storage(hid_t dataset, const OutputDataset& output) {
  BlockStorage storage{.axes = output.layout.axes,
                       .extents = output.extents,
                       .chunk = output.chunk,
                       .elem_bytes = static_cast<index_t>(size_of(output.type))};
  const index_t count = storage.num_blocks();
  const auto address = [&](index_t block) { return chunk_address(dataset, sizes_of(storage.first_of(block), output.layout)); };
  storage.first_byte = address(0);
  storage.stride_bytes = count > 1 ? address(1) - storage.first_byte : storage.block_bytes();
  const bool is_even = address(count - 1) == storage.first_byte + (count - 1) * storage.stride_bytes;
  if (!is_even || storage.stride_bytes < storage.block_bytes())
    throw Error(ExitCode::Io, "HDF5 did not allocate the blocks of the output one after another");
  return storage;
}

void write_provenance(hid_t file, const Provenance& provenance) {
  const Handle group = create_group(file, "provenance");
  write_attribute(group.get(), "command", provenance.command);
  write_attribute(group.get(), "plan_json", provenance.plan_json);
  write_attribute(group.get(), "model_sha256", provenance.model_sha256);
  write_attribute(group.get(), "input_path", provenance.input_path);
  write_attribute(group.get(), "mpi_size", provenance.mpi_size);
  write_attribute(group.get(), "git_rev", provenance.git_rev);
  write_attribute(group.get(), "libs", provenance.libs);
  write_attribute(group.get(), "started", provenance.started);
  write_attribute(group.get(), "job", provenance.job);
}

void write_finished(hid_t file, const std::string& finished) {
  const Handle group(H5Gopen2(file, "provenance", H5P_DEFAULT), &H5Gclose, laying_out);
  write_attribute(group.get(), "finished", finished);
}

}  // namespace parconv::hdf5
