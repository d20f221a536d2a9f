// SPDX-License-Identifier: Apache-2.0
// The file of a record: appended, synced and locked.
#pragma once

#include <optional>
#include <string>

#include "parconv/io/resume/resume_record.hpp"

namespace parconv {

/// An open record. Its locks are those of open file descriptions (fcntl(2), F_OFD_SETLK): the kernel frees them when the process
/// ends, however it ends. Each rank of a job holds one byte, so the whole can be locked only when no rank is left. All methods
/// are local and throw Error(Io) unless stated otherwise.
class RecordFile {
 public:
  /// Throws Error(CannotCreate) if the file exists or cannot be created.
  static RecordFile create(const std::string& path);
  /// Throws Error(Io) if it cannot be opened.
  static RecordFile open(const std::string& path);
  RecordFile(RecordFile&& other) noexcept;
  RecordFile& operator=(RecordFile&& other) noexcept;
  ~RecordFile();

  const std::string& path() const { return path_; }

  /// Locks for this process alone, or finds out that another one holds a lock. Does not block.
  LockOutcome lock_whole();
  /// Keeps of lock_whole only the byte of rank 0.
  void share_lock();
  /// Locks the byte of a rank. Precondition: rank 0 of its job has called share_lock.
  LockOutcome lock_of_rank(int rank);

  /// The whole file.
  std::string read() const;
  /// Cuts what follows the first `size_bytes`; the next append follows them.
  void cut(index_t size_bytes);
  /// Appends and syncs to disk.
  void append(const std::string& bytes);
  /// Syncs the folder, so that the name of a new file is on disk.
  void sync_folder() const;

 private:
  RecordFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  LockOutcome lock(short type, index_t first, index_t size) const;

  std::string path_;
  int descriptor_ = -1;
  index_t end_ = 0;
};

}  // namespace parconv
