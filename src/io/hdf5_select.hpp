// Boxes as HDF5 dataspaces.
#pragma once

#include <vector>

#include "io/hdf5_handle.hpp"
#include "parconv/geometry/box.hpp"

namespace parconv::hdf5 {

/// A box of a data set, and dense memory of the same shape.
struct Selection {
  Handle file{};
  Handle memory{};
};

Selection select(hid_t dataset, const std::vector<Axis>& axes, const Box& box, const Attempt& attempt);

}  // namespace parconv::hdf5
