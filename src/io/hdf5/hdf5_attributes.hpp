// SPDX-License-Identifier: Apache-2.0
// HDF5 attributes.
#pragma once

#include <span>
#include <string>

#include "io/hdf5/hdf5_handle.hpp"

namespace parconv::hdf5 {

/// Value of an attribute: elements of `type` in memory, a scalar or a list of `count`.
struct AttributeData {
  hid_t type = -1;
  const void* elements = nullptr;
  hsize_t count = 0;  ///< 0: a scalar
};

void write_attribute(hid_t object, const char* name, const AttributeData& data);

/// A variable-length UTF-8 string, or a list of such strings.
void write_attribute(hid_t object, const char* name, const std::string& text);
void write_attribute(hid_t object, const char* name, std::span<const std::string> texts);

/// A fixed-length string, as the dimension scale specification requires.
void write_fixed_attribute(hid_t object, const char* name, const std::string& text);

void write_attribute(hid_t object, const char* name, int value);

}  // namespace parconv::hdf5
