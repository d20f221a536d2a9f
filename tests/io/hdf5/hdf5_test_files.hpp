// SPDX-License-Identifier: Apache-2.0
// HDF5 test files, written by calling the library directly.
#pragma once

// HDF5 includes mpi.h, whose C++ bindings are neither needed nor linked.
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif

#include <gtest/gtest.h>
#include <hdf5.h>

#include <string>
#include <utility>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/tensor/view.hpp"
#include "support/temporary_folder.hpp"

namespace parconv::test {

template <class Status>
Status must(Status status) {
  if (status < 0) throw Bug("a call of HDF5 in a test failed");
  return status;
}

/// Storage of a test dataset.
struct Stored {
  std::vector<hsize_t> dims{};
  hid_t file_type = H5T_IEEE_F32LE;
  hid_t memory_type = H5T_NATIVE_FLOAT;
  std::vector<hsize_t> chunk{};
  bool is_compressed = false;
  std::string layout{};
};

inline hid_t create_h5(const std::string& path) { return must(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)); }

inline void write_text(hid_t object, const char* name, const std::string& text) {
  const hid_t type = must(H5Tcopy(H5T_C_S1));
  must(H5Tset_size(type, text.size() + 1));
  const hid_t space = must(H5Screate(H5S_SCALAR));
  const hid_t attribute = must(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  must(H5Awrite(attribute, type, text.c_str()));
  must(H5Aclose(attribute));
  must(H5Sclose(space));
  must(H5Tclose(type));
}

/// Writes `values`; no data if there are none.
template <class T>
void write_dataset(hid_t file, const char* name, const Stored& how, const std::vector<T>& values) {
  const int rank = static_cast<int>(how.dims.size());
  const hid_t space = must(rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, how.dims.data(), nullptr));
  const hid_t creation = must(H5Pcreate(H5P_DATASET_CREATE));
  const hid_t links = must(H5Pcreate(H5P_LINK_CREATE));
  must(H5Pset_create_intermediate_group(links, 1));
  if (!how.chunk.empty()) must(H5Pset_chunk(creation, rank, how.chunk.data()));
  if (how.is_compressed) must(H5Pset_deflate(creation, 1));
  const hid_t dataset = must(H5Dcreate2(file, name, how.file_type, space, links, creation, H5P_DEFAULT));
  if (!values.empty()) must(H5Dwrite(dataset, how.memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  if (!how.layout.empty()) write_text(dataset, "layout", how.layout);
  must(H5Dclose(dataset));
  must(H5Pclose(links));
  must(H5Pclose(creation));
  must(H5Sclose(space));
}

/// Writes a file with one dataset.
template <class T>
void write_h5(const std::string& path, const char* name, const Stored& how, const std::vector<T>& values) {
  const hid_t file = create_h5(path);
  write_dataset(file, name, how, values);
  must(H5Fclose(file));
}

/// Dense channels-last memory of a box.
struct DenseBlock {
  explicit DenseBlock(const Box& box) : extents(box.extents()), values(static_cast<std::size_t>(volume(box)), -99.0f) {}

  Extents strides() const {
    Extents result;
    index_t stride = 1;
    for (auto axis = memory_axes.rbegin(); axis != memory_axes.rend(); ++axis) {
      result[*axis] = stride;
      stride *= extents[*axis];
    }
    return result;
  }
  View view() {
    return {reinterpret_cast<std::byte*>(values.data()), {.extents = extents, .strides = strides(), .type = DType::F32}};
  }
  /// Element at local indices.
  float& at(const Extents& index) {
    const Extents steps = strides();
    index_t offset = 0;
    for (Axis axis : all_axes) offset += index[axis] * steps[axis];
    return values[static_cast<std::size_t>(offset)];
  }

  Extents extents;
  std::vector<float> values;
};

/// Calls visit(index) for every element of `extents`.
template <class Visit>
void for_each_index(const Extents& extents, Visit&& visit) {
  for (index_t n = 0; n < extents[Axis::N]; ++n)
    for (index_t c = 0; c < extents[Axis::C]; ++c)
      for (index_t d = 0; d < extents[Axis::D]; ++d)
        for (index_t h = 0; h < extents[Axis::H]; ++h)
          for (index_t w = 0; w < extents[Axis::W]; ++w) visit(Extents{{n, c, d, h, w}});
}

}  // namespace parconv::test
