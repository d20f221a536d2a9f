// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "io/hdf5/hdf5_input.hpp"
#include "io/hdf5/hdf5_types.hpp"
#include "parconv/io/hdf5/hdf5_reading.hpp"
#include "parconv/io/hdf5/hdf5_sink.hpp"

namespace parconv {
namespace {

using hdf5::Attempt;
using hdf5::check;
using hdf5::Handle;

constexpr Attempt reading{.action = "read", .object = "the origin of an output", .code = ExitCode::Io};

Handle open_attribute(hid_t file, const char* group, const char* name) {
  return Handle(H5Aopen_by_name(file, group, name, H5P_DEFAULT, H5P_DEFAULT), &H5Aclose, reading);
}

bool is_complete(hid_t file) {
  int value = 0;
  check(H5Aread(open_attribute(file, "integrity", "complete").get(), H5T_NATIVE_INT, &value), reading);
  return value == 1;
}

std::string job_of(hid_t file) {
  const Handle attribute = open_attribute(file, "provenance", "job");
  const Handle type(H5Aget_type(attribute.get()), &H5Tclose, reading);
  if (check(H5Tis_variable_str(type.get()), reading) == 0) return {};
  char* text = nullptr;
  check(H5Aread(attribute.get(), type.get(), static_cast<void*>(&text)), reading);
  std::string job = text == nullptr ? "" : text;
  H5free_memory(text);
  return job;
}

}  // namespace

std::string finished_job(const std::string& path) {
  hdf5::silence_errors();
  const Hdf5Reading marked(path);
  try {
    const Handle access = hdf5::reading_access(reading);
    const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), &H5Fclose, reading);
    return is_complete(file.get()) ? job_of(file.get()) : std::string();
  } catch (const Error&) {
    return {};
  }
}

}  // namespace parconv
