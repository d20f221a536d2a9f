// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_attributes.hpp"

#include <vector>

#include "io/hdf5/hdf5_types.hpp"

namespace parconv::hdf5 {

void write_attribute(hid_t object, const char* name, const AttributeData& data) {
  const Attempt writing{.action = "write attribute", .object = name, .code = ExitCode::Io};
  const Handle space(data.count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &data.count, nullptr), &H5Sclose, writing);
  const Handle attribute(H5Acreate2(object, name, data.type, space.get(), H5P_DEFAULT, H5P_DEFAULT), &H5Aclose, writing);
  check(H5Awrite(attribute.get(), data.type, data.elements), writing);
}

void write_attribute(hid_t object, const char* name, const std::string& text) {
  const Handle type = utf8_type();
  const char* element = text.c_str();
  write_attribute(object, name, {.type = type.get(), .elements = &element});
}

void write_attribute(hid_t object, const char* name, std::span<const std::string> texts) {
  const Handle type = utf8_type();
  std::vector<const char*> elements;
  for (const std::string& text : texts) elements.push_back(text.c_str());
  write_attribute(object, name, {.type = type.get(), .elements = elements.data(), .count = elements.size()});
}

void write_fixed_attribute(hid_t object, const char* name, const std::string& text) {
  const Attempt writing{.action = "write attribute", .object = name, .code = ExitCode::Io};
  const Handle type(H5Tcopy(H5T_C_S1), &H5Tclose, writing);
  check(H5Tset_size(type.get(), text.size() + 1), writing);
  write_attribute(object, name, {.type = type.get(), .elements = text.c_str()});
}

void write_attribute(hid_t object, const char* name, int value) {
  write_attribute(object, name, {.type = H5T_NATIVE_INT, .elements = &value});
}

}  // namespace parconv::hdf5
