// SPDX-License-Identifier: Apache-2.0
// Atomic publication of a file: written under a temporary name, then renamed. System calls only.
#pragma once

#include <sys/types.h>

#include <string>

#include "io/descriptor.hpp"
#include "parconv/core/types.hpp"
#include "parconv/io/resume/resume_record.hpp"

namespace parconv::hdf5 {

/// Tells a file from others, whatever its name.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

struct PartialFile {
  std::string final_path{};
  std::string partial_path{};
  bool replaces_existing = false;

  /// Creates an empty partial file. Throws Error(CannotCreate) if either name cannot be created.
  FileIdentity create() const;
  /// Restores everything but the elements of an earlier job's partial file, whatever that job changed while it finished. Throws
  /// Error(CannotCreate) if it cannot be opened or the final name is taken, and Error(Io) if it has lost its end.
  FileIdentity restore(const RecordedFile& recorded) const;
  /// The bytes outside of `elements`, which become part of a record. Throws Error(Io).
  RecordedFile record(Interval elements) const;
  /// Opens the partial file to write its elements. Throws Error(CannotCreate) unless it is visible on this host, and Error(Io).
  Descriptor open() const;
  /// Syncs the open partial file to disk. Throws Error(Io).
  void sync(const Descriptor& opened) const;
  /// Syncs and closes the open partial file. Throws Error(Io), also if its name now is that of another file, or its end was cut
  /// to less than `size_bytes`.
  void close(Descriptor& opened, index_t size_bytes) const;
  /// Size of the partial file. Throws Error(Io).
  index_t size_bytes() const;
  /// Allocates disk space for the first `bytes`, where the file system can. Throws Error(Io) if the disk is full.
  void reserve(index_t bytes) const;
  /// Syncs the file to disk and renames it to its final name. Throws Error(Io or CannotCreate), and Error(Io) if it is not the
  /// file that was created, of `size_bytes`.
  void publish(const FileIdentity& created, index_t size_bytes) const;
  /// Removes the partial file if it exists.
  void remove() const noexcept;
};

}  // namespace parconv::hdf5
