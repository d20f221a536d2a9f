// SPDX-License-Identifier: Apache-2.0
// Which file HDF5 reads, for handlers of signals: the library crashes on some damaged files.
#pragma once

#include <string>

namespace parconv {

/// The file that the calling thread reads by HDF5; null if it reads none. Async-signal-safe.
const char* file_read_by_hdf5() noexcept;

/// States that the calling thread reads a file by HDF5, for its lifetime. `file` must outlive it.
class Hdf5Reading {
 public:
  explicit Hdf5Reading(const std::string& file) noexcept;
  ~Hdf5Reading();
  Hdf5Reading(const Hdf5Reading&) = delete;
  Hdf5Reading& operator=(const Hdf5Reading&) = delete;

 private:
  const char* outer_;
};

}  // namespace parconv
