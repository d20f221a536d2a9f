// SPDX-License-Identifier: Apache-2.0
// Boxes as HDF5 dataspaces.
#pragma once

#include <vector>

#include "io/hdf5/hdf5_handle.hpp"
#include "parconv/geometry/box.hpp"

namespace parconv::hdf5 {

/// Hyperslab selection of a dataset, and a dense memory dataspace of the same shape.
struct Selection {
  Handle file{};
  Handle memory{};
};

Selection select(hid_t dataset, const std::vector<Axis>& axes, const Box& box, const Attempt& attempt);

}  // namespace parconv::hdf5
