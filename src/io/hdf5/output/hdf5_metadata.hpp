// SPDX-License-Identifier: Apache-2.0
// Everything in an output file but the elements of its tensor, as text: to compare a file as it was written with the file as it
// is on disk.
#pragma once

#include <string>

#include "io/hdf5/hdf5_handle.hpp"

namespace parconv::hdf5 {

/// Objects by name, with types, shapes, attributes, and the elements of all data sets but `tensor`. Equal files give equal texts.
/// Collective if the file was opened so. Throws Error(Io) if anything cannot be read.
std::string metadata_of(hid_t file, const std::string& tensor);

}  // namespace parconv::hdf5
