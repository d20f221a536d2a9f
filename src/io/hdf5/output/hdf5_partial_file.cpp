// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/output/hdf5_partial_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string_view>

#include "io/file_bytes.hpp"
#include "io/file_errors.hpp"
#include "parconv/core/error.hpp"

namespace parconv::hdf5 {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_create(const std::string& path, int error) {
  throw Error(is_out_of_space(error) ? ExitCode::Io : ExitCode::CannotCreate,
              concat("cannot create the output ", path, ": ", words_of(error, path)), "Choose another file or folder.");
}

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  throw Error(ExitCode::Io, concat("cannot write the output ", path, ": ", words_of(error, path)), writing_hint(error));
}

/// Of posix_fallocate: the file system cannot reserve space.
bool is_unsupported(int error) {
  return error == EOPNOTSUPP || error == EINVAL || error == ENOSYS || error == ENODEV || error == EBADF;
}

void expect_free(const PartialFile& file) {
  std::error_code error;
  if (fs::is_directory(file.final_path, error))
    throw Error(ExitCode::CannotCreate, concat("the output ", file.final_path, " is a directory"), "Name a file in it.");
  if (!file.replaces_existing && fs::exists(file.final_path, error))
    throw Error(ExitCode::CannotCreate, concat("the output ", file.final_path, " exists"),
                "Choose another name, or overwrite it with --force.");
}

void sync_file(const std::string& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail_to_write(path, errno);
  // Some file systems cannot sync directories and report EINVAL.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) fail_to_write(path, errno);
}

FileIdentity identity_of(const struct stat& status) { return {.device = status.st_dev, .inode = status.st_ino}; }

/// `sizes` contains the file's size.
void expect_same(const std::string& path, const FileIdentity& created, Interval sizes) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) fail_to_write(path, errno);
  if (identity_of(status) == created && sizes.lo <= status.st_size && status.st_size < sizes.hi) return;
  throw Error(ExitCode::Io, concat("the output ", path, " was replaced or cut by another program while it was written"),
              "Run again when no other program changes it.");
}

void write_at(int descriptor, const std::string& path, std::string_view bytes, index_t offset) {
  if (!write_bytes(descriptor, bytes, offset)) fail_to_write(path, errno);
}

std::string read_at(int descriptor, const std::string& path, Interval range) {
  std::string bytes(static_cast<std::size_t>(range.size()), '\0');
  const index_t count = read_bytes(descriptor, bytes, range.lo);
  if (count < range.size()) fail_to_write(path, count < 0 ? errno : EIO);
  return bytes;
}

std::string folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

FileIdentity PartialFile::create() const {
  expect_free(*this);
  const Descriptor descriptor(::open(partial_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  struct stat status{};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) fail_to_create(partial_path, errno);
  return identity_of(status);
}

index_t PartialFile::size_bytes() const {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(partial_path, error);
  if (error) fail_to_write(partial_path, error.value());
  return static_cast<index_t>(size);
}

void PartialFile::reserve(index_t bytes) const {
  const Descriptor descriptor(::open(partial_path.c_str(), O_RDWR | O_CLOEXEC));
  if (descriptor.get() < 0) fail_to_write(partial_path, errno);
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(descriptor.get(), 0, bytes);
  if (error == 0 || is_unsupported(error)) return;
  throw Error(ExitCode::Io,
              concat(is_out_of_space(error) ? "no space for the output " : "cannot reserve space for the output ", partial_path,
                     ": ", words_of(error, partial_path, bytes)),
              writing_hint(error));
}

FileIdentity PartialFile::restore(const RecordedFile& recorded) const {
  expect_free(*this);
  const Descriptor descriptor(::open(partial_path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status{};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) fail_to_create(partial_path, errno);
  if (status.st_size < recorded.size_bytes)
    throw Error(
        ExitCode::Io,
        concat("the partial output ", partial_path, " has lost its end: ", status.st_size, " bytes of ", recorded.size_bytes),
        "Remove it, and start again.");
  if (::ftruncate(descriptor.get(), recorded.size_bytes) != 0) fail_to_write(partial_path, errno);
  const std::string_view rest(recorded.rest);
  const auto head = static_cast<std::size_t>(recorded.elements.lo);
  write_at(descriptor.get(), partial_path, rest.substr(0, head), 0);
  write_at(descriptor.get(), partial_path, rest.substr(head), recorded.elements.hi);
  if (::fsync(descriptor.get()) != 0) fail_to_write(partial_path, errno);
  return identity_of(status);
}

RecordedFile PartialFile::record(Interval elements) const {
  RecordedFile recorded{.size_bytes = size_bytes(), .elements = elements};
  const Descriptor descriptor(::open(partial_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail_to_write(partial_path, errno);
  recorded.rest = read_at(descriptor.get(), partial_path, {0, elements.lo}) +
                  read_at(descriptor.get(), partial_path, {elements.hi, recorded.size_bytes});
  return recorded;
}

Descriptor PartialFile::open() const {
  Descriptor descriptor(::open(partial_path.c_str(), O_WRONLY | O_CLOEXEC));
  if (descriptor.get() >= 0) return descriptor;
  if (errno != ENOENT) fail_to_write(partial_path, errno);
  throw Error(ExitCode::CannotCreate, concat("the output ", partial_path, " is not visible here: ", std::strerror(ENOENT)),
              "Write to a folder that all hosts of the job share.");
}

void PartialFile::sync(const Descriptor& opened) const {
  if (::fsync(opened.get()) != 0) fail_to_write(partial_path, errno);
}

void PartialFile::close(Descriptor& opened, index_t size_bytes) const {
  sync(opened);
  struct stat status{};
  if (::fstat(opened.get(), &status) != 0) fail_to_write(partial_path, errno);
  expect_same(partial_path, identity_of(status), {size_bytes, std::numeric_limits<index_t>::max()});
  if (!opened.close()) fail_to_write(partial_path, errno);
}

void PartialFile::publish(const FileIdentity& created, index_t size_bytes) const {
  const Interval sizes{size_bytes, size_bytes + 1};
  sync_file(partial_path);
  expect_free(*this);
  expect_same(partial_path, created, sizes);
  if (::rename(partial_path.c_str(), final_path.c_str()) != 0) fail_to_write(final_path, errno);
  expect_same(final_path, created, sizes);
  sync_file(folder_of(final_path));
}

void PartialFile::remove() const noexcept { ::unlink(partial_path.c_str()); }

}  // namespace parconv::hdf5
