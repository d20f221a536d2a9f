// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/output/hdf5_partial_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "parconv/core/error.hpp"

namespace parconv::hdf5 {
namespace {

namespace fs = std::filesystem;

/// Owning file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }

 private:
  int value_;
};

bool is_out_of_space(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

[[noreturn]] void fail_to_create(const std::string& path, int error) {
  throw Error(is_out_of_space(error) ? ExitCode::Io : ExitCode::CannotCreate,
              concat("cannot create the output ", path, ": ", std::strerror(error)), "Choose another file or folder.");
}

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  throw Error(ExitCode::Io, concat("cannot write the output ", path, ": ", std::strerror(error)));
}

void expect_free(const PartialFile& file) {
  std::error_code error;
  if (fs::is_directory(file.final_path, error))
    throw Error(ExitCode::CannotCreate, concat("the output ", file.final_path, " is a directory"), "Name a file in it.");
  if (!file.replaces_existing && fs::exists(file.final_path, error))
    throw Error(ExitCode::CannotCreate, concat("the output ", file.final_path, " exists"),
                "Choose another name, or overwrite it with --force.");
}

void sync(const std::string& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail_to_write(path, errno);
  // Some file systems cannot sync directories and report EINVAL.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) fail_to_write(path, errno);
}

void expect_same(const std::string& path, const FileIdentity& created, index_t size_bytes) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) fail_to_write(path, errno);
  if (FileIdentity{.device = status.st_dev, .inode = status.st_ino} == created && status.st_size == size_bytes) return;
  throw Error(ExitCode::Io, concat("the output ", path, " was replaced or cut by another program while it was written"),
              "Run again when no other program changes it.");
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
  return {.device = status.st_dev, .inode = status.st_ino};
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
  const int error = ::posix_fallocate(descriptor.get(), 0, bytes);
  if (is_out_of_space(error))
    throw Error(ExitCode::Io,
                concat("no space for the output ", partial_path, ": ", bytes, " bytes are needed (", std::strerror(error), ")"),
                "Free disk space, or write to another disk.");
}

void PartialFile::expect_visible() const {
  if (::access(partial_path.c_str(), W_OK) == 0) return;
  throw Error(ExitCode::CannotCreate, concat("the output ", partial_path, " is not visible here: ", std::strerror(errno)),
              "Write to a folder that all hosts of the job share.");
}

void PartialFile::publish(const FileIdentity& created, index_t size_bytes) const {
  sync(partial_path);
  expect_free(*this);
  expect_same(partial_path, created, size_bytes);
  if (::rename(partial_path.c_str(), final_path.c_str()) != 0) fail_to_create(final_path, errno);
  expect_same(final_path, created, size_bytes);
  sync(folder_of(final_path));
}

void PartialFile::remove() const noexcept { ::unlink(partial_path.c_str()); }

MpiIoName::MpiIoName(const std::string& path) : name_(path) {
  if (path.find(':') == std::string::npos) return;
  folder_ = ::open(folder_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) fail_to_create(path, errno);
  name_ = concat("/proc/self/fd/", folder_, "/", fs::path(path).filename().string());
}

MpiIoName::~MpiIoName() {
  if (folder_ >= 0) ::close(folder_);
}

std::string partial_path_of(const std::string& final_path, const std::string& job_id) {
  const fs::path path(final_path);
  std::string name = path.filename().string();
  std::replace(name.begin(), name.end(), ':', '_');
  return (path.parent_path() / concat(name, ".partial-", job_id)).string();
}

}  // namespace parconv::hdf5
