// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/hdf5/hdf5_reading.hpp"

namespace parconv {
namespace {

thread_local const char* file_in_use = nullptr;

}  // namespace

const char* file_read_by_hdf5() noexcept { return file_in_use; }

Hdf5Reading::Hdf5Reading(const std::string& file) noexcept : outer_(file_in_use) { file_in_use = file.c_str(); }

Hdf5Reading::~Hdf5Reading() { file_in_use = outer_; }

}  // namespace parconv
