// Element types of HDF5 data sets.
#pragma once

#include <optional>
#include <string>

#include "io/hdf5_handle.hpp"
#include "parconv/core/types.hpp"

namespace parconv::hdf5 {

/// The element type of an HDF5 type that parconv can read, in either byte order.
std::optional<DType> readable_dtype(hid_t type);

/// The HDF5 type of `dtype` in this machine's byte order. Precondition: a type that readable_dtype returns.
Handle native_type(DType dtype);

/// A few words on any HDF5 type: "32-bit float", "64-bit signed integer", "compound".
std::string describe_type(hid_t type);

/// True for integers and floating-point numbers of any size.
bool is_numeric(hid_t type);

/// A variable-length UTF-8 string.
Handle utf8_type();

}  // namespace parconv::hdf5
