// Writing attributes.
#pragma once

#include <span>
#include <string>

#include "io/hdf5_handle.hpp"

namespace parconv::hdf5 {

/// What is written at once: elements of `type` in memory, as a scalar or as a list of `count`.
struct AttributeData {
  hid_t type = -1;
  const void* elements = nullptr;
  hsize_t count = 0;  ///< 0: a scalar
};

void write_attribute(hid_t object, const char* name, const AttributeData& data);

/// A variable-length UTF-8 string, or a list of them.
void write_attribute(hid_t object, const char* name, const std::string& text);
void write_attribute(hid_t object, const char* name, std::span<const std::string> texts);

/// A string of fixed length, which the dimension scale convention asks for.
void write_fixed_attribute(hid_t object, const char* name, const std::string& text);

void write_attribute(hid_t object, const char* name, int value);

}  // namespace parconv::hdf5
