// SPDX-License-Identifier: Apache-2.0
// Owner of HDF5 identifiers, and the only place where HDF5 status codes become exceptions.
#pragma once

// HDF5 includes mpi.h, whose C++ bindings are neither needed nor linked.
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif

#include <hdf5.h>

#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "parconv/core/error.hpp"

namespace parconv::hdf5 {

/// The operation attempted, for error messages.
struct Attempt {
  std::string_view action;  ///< "open", "read"
  std::string_view object;  ///< a file or dataset name
  ExitCode code = ExitCode::Io;
};

/// Disables HDF5's own error printing. Local; called first in every public function.
void silence_errors();

/// A system call of HDF5's file driver that failed.
struct FailedCall {
  int error = 0;         ///< errno; 0: none failed
  std::string path{};    ///< empty if HDF5 does not state it
  std::string offset{};  ///< as path
};

/// Finds errno, file name and offset in a message of HDF5's file driver.
FailedCall failed_call_in(const std::string& message);

/// Innermost error of HDF5's error stack, and whether a filter (decompression, checksum) raised it, or a lack of memory.
struct StackTop {
  std::string message{};
  bool is_from_filter = false;
  bool is_from_memory = false;
  FailedCall call{};
};
StackTop innermost_error();

/// Throws Error(attempt.code) with HDF5's innermost message; BadData for damaged compressed data, OutOfMemory for memory. If a
/// system call failed, in its words, with the file and offset: then Io, never BadData, or OutOfMemory at a limit.
[[noreturn]] void fail(const Attempt& attempt, std::source_location where = std::source_location::current());

/// Returns `status`; throws if it is negative.
template <class Status>
Status check(Status status, const Attempt& attempt, std::source_location where = std::source_location::current()) {
  if (status < 0) fail(attempt, where);
  return status;
}

/// Owning HDF5 identifier, move-only.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Handle() = default;
  /// Takes ownership of `id`; throws if it is negative.
  Handle(hid_t id, Close closer, const Attempt& attempt, std::source_location where = std::source_location::current())
      : id_(check(id, attempt, where)), close_(closer) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }

  hid_t get() const { return id_; }
  /// Closes now; throws if HDF5 reports an error, and does not try again.
  void close(const Attempt& attempt);
  /// Releases the identifier without closing it.
  void leak() { id_ = -1; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

}  // namespace parconv::hdf5
