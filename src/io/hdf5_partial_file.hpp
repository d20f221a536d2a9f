// A file that gets its final name only when it is complete. Calls of the operating system only; used on one rank.
#pragma once

#include <string>

#include "parconv/core/types.hpp"

namespace parconv::hdf5 {

struct PartialFile {
  std::string final_path{};
  std::string partial_path{};
  bool replaces_existing = false;

  /// Creates the partial file, empty. Throws Error(CannotCreate) if that, or the final name, is not possible.
  void create() const;
  /// Size of the partial file. Throws Error(Io).
  index_t size_bytes() const;
  /// Makes the disk give space for the first `bytes`. Throws Error(Io) if it has not enough.
  void reserve(index_t bytes) const;
  /// Throws Error(CannotCreate) unless the partial file is visible on this host.
  void expect_visible() const;
  /// Writes everything to disk and gives the file its final name. Throws Error(Io or CannotCreate).
  void publish() const;
  /// Removes the partial file, if there is one.
  void remove() const noexcept;
};

}  // namespace parconv::hdf5
