// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/file_case.hpp"

#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif
#include <hdf5.h>

#include "parconv/core/error.hpp"

namespace parconv::bench {
namespace {

template <class Status>
Status checked(Status status) {
  if (status < 0) throw Error(ExitCode::Io, "a call of HDF5 failed", "Check the folder.");
  return status;
}

hid_t half_type() {
  const hid_t type = checked(H5Tcopy(H5T_IEEE_F32LE));
  checked(H5Tset_fields(type, 15, 10, 5, 0, 10));
  checked(H5Tset_size(type, 2));
  checked(H5Tset_ebias(type, 15));
  return type;
}

hid_t file_type(DType type) {
  if (type == DType::F16) return half_type();
  return checked(H5Tcopy(type == DType::U8 ? H5T_STD_U8LE : H5T_IEEE_F32LE));
}

std::vector<hsize_t> dims_of(const FileCase& file_case) {
  std::vector<hsize_t> dims;
  for (const Axis axis : all_axes)
    if (axis != Axis::D || file_case.ndims == 5) dims.push_back(static_cast<hsize_t>(file_case.extents[axis]));
  return dims;
}

Axis outermost(const FileCase& file_case) { return file_case.ndims == 5 ? Axis::D : Axis::H; }

}  // namespace

std::vector<FileCase> file_cases() {
  const Extents image{{1, 3, 1, 6144, 4096}}, features{{1, 64, 1, 1024, 1024}}, volume{{1, 1, 256, 512, 512}};
  return {{"3x6144x4096 f32", image, 4, DType::F32},     {"3x6144x4096 f16", image, 4, DType::F16},
          {"3x6144x4096 u8", image, 4, DType::U8},       {"64x1024x1024 f32", features, 4, DType::F32},
          {"64x1024x1024 f16", features, 4, DType::F16}, {"64x1024x1024 u8", features, 4, DType::U8},
          {"1x256x512x512 f32", volume, 5, DType::F32},  {"1x256x512x512 f16", volume, 5, DType::F16},
          {"1x256x512x512 u8", volume, 5, DType::U8}};
}

Box box_of(const FileCase& file_case) {
  const Axis axis = outermost(file_case);
  const index_t extent = file_case.extents[axis];
  return Box::whole(file_case.extents).with(axis, {extent / 4, 3 * extent / 4});
}

std::vector<FileRun> runs_of(const FileCase& file_case, const Box& box, index_t first_byte) {
  const Axis cut = outermost(file_case);
  const Extents& extents = file_case.extents;
  const auto elem_bytes = static_cast<index_t>(size_of(file_case.type));
  const index_t plane = extents[Axis::D] * extents[Axis::H] * extents[Axis::W] * elem_bytes;
  const index_t row = plane / extents[cut];
  std::vector<FileRun> runs;
  for (index_t k = 0; k < extents[Axis::N] * extents[Axis::C]; ++k) {
    const FileRun run{first_byte + k * plane + box[cut].lo * row, box[cut].size() * row};
    if (!runs.empty() && runs.back().offset_bytes + runs.back().size_bytes == run.offset_bytes)
      runs.back().size_bytes += run.size_bytes;
    else
      runs.push_back(run);
  }
  return runs;
}

index_t write_input(const std::string& path, const FileCase& file_case) {
  const std::vector<hsize_t> dims = dims_of(file_case);
  std::vector<std::uint8_t> values(static_cast<std::size_t>(volume(file_case.extents)));
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<std::uint8_t>(k * 7 + k / 253);
  const hid_t file = checked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const hid_t type = file_type(file_case.type);
  const hid_t space = checked(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
  const hid_t dataset = checked(H5Dcreate2(file, "x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  checked(H5Dwrite(dataset, H5T_STD_U8LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  const haddr_t offset = H5Dget_offset(dataset);
  checked(H5Dclose(dataset));
  checked(H5Sclose(space));
  checked(H5Tclose(type));
  checked(H5Fclose(file));
  return static_cast<index_t>(offset);
}

}  // namespace parconv::bench
