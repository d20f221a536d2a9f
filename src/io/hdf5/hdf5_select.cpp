// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_select.hpp"

namespace parconv::hdf5 {

Selection select(hid_t dataset, const std::vector<Axis>& axes, const Box& box, const Attempt& attempt) {
  std::vector<hsize_t> start;
  std::vector<hsize_t> count;
  for (Axis axis : axes) {
    start.push_back(static_cast<hsize_t>(box[axis].lo));
    count.push_back(static_cast<hsize_t>(box[axis].size()));
  }
  Handle file(H5Dget_space(dataset), &H5Sclose, attempt);
  check(H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), attempt);
  Handle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), &H5Sclose, attempt);
  return {.file = std::move(file), .memory = std::move(memory)};
}

}  // namespace parconv::hdf5
