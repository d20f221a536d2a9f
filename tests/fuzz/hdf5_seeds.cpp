// SPDX-License-Identifier: Apache-2.0
#include "fuzz/hdf5_seeds.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "io/hdf5/hdf5_test_files.hpp"

namespace parconv::test {
namespace {

/// Sets the format in which a file is written: the oldest possible, or the newest.
class Format {
 public:
  explicit Format(bool is_new) : properties_(must(H5Pcreate(H5P_FILE_ACCESS))) {
    must(H5Pset_libver_bounds(properties_, is_new ? H5F_LIBVER_LATEST : H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST));
  }
  ~Format() { H5Pclose(properties_); }
  Format(const Format&) = delete;
  Format& operator=(const Format&) = delete;
  hid_t create(const std::filesystem::path& path) const {
    return must(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, properties_));
  }

 private:
  hid_t properties_;
};

std::vector<float> numbers(const std::vector<hsize_t>& dims) {
  std::vector<float> values(std::accumulate(dims.begin(), dims.end(), hsize_t{1}, std::multiplies<>()));
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

void add_links(hid_t file) {
  must(H5Lcreate_soft("/x", file, "soft", H5P_DEFAULT, H5P_DEFAULT));
  must(H5Lcreate_soft("/missing", file, "dangling", H5P_DEFAULT, H5P_DEFAULT));
  must(H5Lcreate_external("none.h5", "/x", file, "external", H5P_DEFAULT, H5P_DEFAULT));
  must(H5Lcreate_hard(file, "x", file, "hard", H5P_DEFAULT, H5P_DEFAULT));
}

/// A second dataset, which is not numeric, beside the input.
void add_compound(hid_t file) {
  const hid_t type = must(H5Tcreate(H5T_COMPOUND, 8));
  must(H5Tinsert(type, "a", 0, H5T_STD_I32LE));
  must(H5Tinsert(type, "b", 4, H5T_IEEE_F32LE));
  write_dataset<int>(file, "table", {.dims = {2, 2}, .file_type = type, .memory_type = type}, {1, 2, 3, 4, 5, 6, 7, 8});
  must(H5Tclose(type));
}

void add_filtered(hid_t file, const char* name, const std::vector<hsize_t>& dims) {
  const hid_t space = must(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
  const hid_t creation = must(H5Pcreate(H5P_DATASET_CREATE));
  must(H5Pset_chunk(creation, static_cast<int>(dims.size()), dims.data()));
  must(H5Pset_shuffle(creation));
  must(H5Pset_deflate(creation, 4));
  must(H5Pset_fletcher32(creation));
  const float fill = 3;
  must(H5Pset_fill_value(creation, H5T_NATIVE_FLOAT, &fill));
  const hid_t dataset = must(H5Dcreate2(file, name, H5T_IEEE_F32BE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  must(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers(dims).data()));
  write_text(dataset, "layout", "NCHW");
  for (const hid_t object : {creation, space}) must(object == space ? H5Sclose(object) : H5Pclose(object));
  must(H5Dclose(dataset));
}

}  // namespace

void write_hdf5_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::array types{H5T_IEEE_F32LE, H5T_IEEE_F64BE, H5T_STD_U8LE, H5T_STD_I8LE, H5T_STD_U16BE, H5T_STD_I16LE};
  const std::array<std::vector<hsize_t>, 4> shapes{{{2, 3}, {2, 3, 5}, {1, 2, 4, 3}, {2, 1, 2, 3, 4}}};
  int number = 0;
  for (const bool is_new : {false, true}) {
    const Format format(is_new);
    for (const auto& dims : shapes)
      for (const hid_t type : types) {
        const hid_t file = format.create(folder / concat("seed-", number, ".h5"));
        std::vector<hsize_t> chunk;
        if (number % 3 == 0)
          for (const hsize_t dim : dims) chunk.push_back(std::min<hsize_t>(dim, 2));
        write_dataset(file, "x", {.dims = dims, .file_type = type, .chunk = chunk, .is_compressed = number % 6 == 0},
                      numbers(dims));
        if (number % 4 == 1) add_links(file);
        if (number % 4 == 2) add_compound(file);
        if (number % 8 == 3) write_dataset<float>(file, "group/of/groups/scalar", {}, {1});
        must(H5Fclose(file));
        ++number;
      }
    const hid_t file = format.create(folder / concat("filtered-", is_new ? "new" : "old", ".h5"));
    add_filtered(file, "x", {2, 3, 4, 5});
    must(H5Fclose(file));
  }
}

}  // namespace parconv::test
