// SPDX-License-Identifier: Apache-2.0
// Atomic publication of a file: written under a temporary name, then renamed. System calls only, made on one rank.
#pragma once

#include <string>

#include "parconv/core/types.hpp"

namespace parconv::hdf5 {

struct PartialFile {
  std::string final_path{};
  std::string partial_path{};
  bool replaces_existing = false;

  /// Creates an empty partial file. Throws Error(CannotCreate) if either name cannot be created.
  void create() const;
  /// Size of the partial file. Throws Error(Io).
  index_t size_bytes() const;
  /// Allocates disk space for the first `bytes`. Throws Error(Io) if the disk is full.
  void reserve(index_t bytes) const;
  /// Throws Error(CannotCreate) unless the partial file is visible on this host.
  void expect_visible() const;
  /// Syncs the file to disk and renames it to its final name. Throws Error(Io or CannotCreate).
  void publish() const;
  /// Removes the partial file if it exists.
  void remove() const noexcept;
};

}  // namespace parconv::hdf5
