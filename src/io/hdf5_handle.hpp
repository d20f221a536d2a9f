// The one place where HDF5's status codes become exceptions, and an owner of its identifiers.
#pragma once

// HDF5 brings MPI's header, whose C++ part is neither needed nor linked.
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

/// What was attempted, for the message of an error.
struct Attempt {
  std::string_view action;  ///< "open", "read"
  std::string_view object;  ///< a file or dataset name
  ExitCode code = ExitCode::Io;
};

/// Keeps HDF5 from printing errors by itself. Local; called before the first call of every public function.
void silence_errors();

/// Message of the error that came first on HDF5's error stack, and whether a filter (decompression, checksum) raised it.
struct StackTop {
  std::string message{};
  bool is_from_filter = false;
};
StackTop innermost_error();

/// Throws Error(attempt.code) with HDF5's innermost message. Damaged compressed data is BadData.
[[noreturn]] void fail(const Attempt& attempt, std::source_location where = std::source_location::current());

/// `status`, or an exception if it is negative.
template <class Status>
Status check(Status status, const Attempt& attempt, std::source_location where = std::source_location::current()) {
  if (status < 0) fail(attempt, where);
  return status;
}

/// Owns an HDF5 identifier. Move only.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Handle() = default;
  /// Takes `id`; throws if it is negative.
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
  /// Closes now; throws if HDF5 reports an error.
  void close(const Attempt& attempt);
  /// Gives the identifier up without closing it.
  void leak() { id_ = -1; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

}  // namespace parconv::hdf5
