// SPDX-License-Identifier: Apache-2.0
// Element types of HDF5 datasets.
#pragma once

#include <optional>
#include <string>

#include "io/hdf5/hdf5_handle.hpp"
#include "parconv/core/types.hpp"

namespace parconv::hdf5 {

/// Element type of an HDF5 type that parconv can read, in either byte order.
std::optional<DType> readable_dtype(hid_t type);

/// Native HDF5 type of `dtype`. Precondition: `dtype` is bf16 or one that readable_dtype returns.
Handle native_type(DType dtype);

/// Short description of any HDF5 type: "32-bit float", "64-bit signed integer", "compound".
std::string describe_type(hid_t type);

/// True for integers and floating-point types of any size.
bool is_numeric(hid_t type);

/// Variable-length UTF-8 string type.
Handle utf8_type();

}  // namespace parconv::hdf5
