// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/resume/record_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "io/file_bytes.hpp"
#include "io/file_errors.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/resource_limits.hpp"

namespace parconv {
namespace {

[[noreturn]] void fail(const char* action, const std::string& path, int error) {
  if (const auto limit = limit_error(concat("cannot ", action, " the record ", path), error)) throw *limit;
  throw Error(ExitCode::Io, concat("cannot ", action, " the record ", path, ": ", words_of(error, path)), writing_hint(error));
}

[[noreturn]] void fail_to_append(const std::string& path, index_t size_bytes, int error) {
  throw Error(ExitCode::Io, concat("cannot write the record ", path, ": ", words_of(error, path, size_bytes)),
              writing_hint(error));
}

bool is_of_limit(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

}  // namespace

RecordFile RecordFile::create(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && is_of_limit(errno)) fail("create", path, errno);
  if (descriptor < 0)
    throw Error(ExitCode::CannotCreate, concat("cannot create the record ", path, ": ", std::strerror(errno)),
                "Choose another file or folder for the output.");
  return {path, descriptor};
}

RecordFile RecordFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) fail("open", path, errno);
  return {path, descriptor};
}

RecordFile::RecordFile(RecordFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), end_(other.end_) {}

RecordFile& RecordFile::operator=(RecordFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(end_, other.end_);
  return *this;
}

RecordFile::~RecordFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

LockOutcome RecordFile::lock(short type, index_t first, index_t size) const {
  struct flock range{};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = first;
  range.l_len = size;
  if (::fcntl(descriptor_, F_OFD_SETLK, &range) == 0) return LockOutcome::Taken;
  return errno == EAGAIN || errno == EACCES ? LockOutcome::Held : LockOutcome::Unavailable;
}

LockOutcome RecordFile::lock_whole() { return lock(F_WRLCK, 0, 0); }
void RecordFile::share_lock() { lock(F_UNLCK, 1, 0); }
LockOutcome RecordFile::lock_of_rank(int rank) { return lock(F_WRLCK, rank, 1); }

std::string RecordFile::read() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) fail("read", path_, errno);
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  const index_t count = read_bytes(descriptor_, bytes, 0);
  if (count < 0) fail("read", path_, errno);
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

void RecordFile::cut(index_t size_bytes) {
  if (::ftruncate(descriptor_, size_bytes) != 0) fail("write", path_, errno);
  end_ = size_bytes;
}

void RecordFile::append(const std::string& bytes) {
  if (!write_bytes(descriptor_, bytes, end_)) fail_to_append(path_, std::ssize(bytes), errno);
  if (::fsync(descriptor_) != 0) fail("sync", path_, errno);
  end_ += std::ssize(bytes);
}

void RecordFile::sync_folder() const {
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  const bool is_synced = ::fsync(descriptor) == 0 || errno == EINVAL;  // some file systems cannot sync folders
  const int error = errno;
  ::close(descriptor);
  if (!is_synced) fail("sync the folder of", path_, error);
}

}  // namespace parconv
