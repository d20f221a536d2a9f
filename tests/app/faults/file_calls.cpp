// SPDX-License-Identifier: Apache-2.0
// A library for LD_PRELOAD that takes the place of the C library's calls for files, of all their variants, and injects a fault.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "file_fault.hpp"

namespace {

using parconv::faults::delay;
using parconv::faults::FileFault;
using parconv::faults::Kind;
using parconv::faults::Operation;

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const FileFault& fault() { return FileFault::of_process(); }

/// How a call goes on.
enum class Course { Normal, Failed, Lost, Flipped, Short };

Course course() {
  delay(fault());
  switch (fault().kind) {
    case Kind::Error:
      errno = fault().error;
      return Course::Failed;
    case Kind::Lost:
      return Course::Lost;
    case Kind::Flipped:
      return Course::Flipped;
    case Kind::Short:
      return Course::Short;
    case Kind::Slow:
    case Kind::Hanging:
      break;
  }
  return Course::Normal;
}

template <class Where>
Course course_of(Operation operation, Where where) {
  return fault().is_due(operation, where) ? course() : Course::Normal;
}

std::size_t half(std::size_t size) { return std::max<std::size_t>(size / 2, 1); }

void flip(void* data, ssize_t size) {
  if (size > 0) static_cast<char*>(data)[size / 2] ^= 0x10;
}

/// `call(buffer, size)` reads. Lost: as at the end of a file.
template <class Call>
ssize_t read_by(int descriptor, void* buffer, std::size_t size, Call&& call) {
  switch (course_of(Operation::Read, descriptor)) {
    case Course::Failed:
      return -1;
    case Course::Lost:
      return 0;
    case Course::Short:
      return call(buffer, half(size));
    case Course::Flipped: {
      const ssize_t count = call(buffer, size);
      flip(buffer, count);
      return count;
    }
    case Course::Normal:
      break;
  }
  return call(buffer, size);
}

template <class Call>
ssize_t write_by(int descriptor, const void* buffer, std::size_t size, Call&& call) {
  switch (course_of(Operation::Write, descriptor)) {
    case Course::Failed:
      return -1;
    case Course::Lost:
      return static_cast<ssize_t>(size);
    case Course::Short:
      return call(buffer, half(size));
    case Course::Flipped: {
      void* const copy = std::malloc(size);
      std::memcpy(copy, buffer, size);
      flip(copy, static_cast<ssize_t>(size));
      const ssize_t count = call(copy, size);
      std::free(copy);
      return count;
    }
    case Course::Normal:
      break;
  }
  return call(buffer, size);
}

/// Lists of buffers are read and written one buffer at a time: POSIX allows fewer bytes than asked for.
template <class Each>
ssize_t first_of(const iovec* list, int count, Each&& each) {
  for (int k = 0; k < count; ++k)
    if (list[k].iov_len > 0) return each(list[k].iov_base, list[k].iov_len);
  return 0;
}

/// A call that returns 0 or -1.
template <class Where, class Call>
int status_by(Operation operation, Where where, Call&& call) {
  switch (course_of(operation, where)) {
    case Course::Failed:
      return -1;
    case Course::Lost:
      return 0;
    default:
      return call();
  }
}

mode_t mode_in(int flags, va_list list) { return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; }

}  // namespace

#define PARCONV_NEXT(name) [[maybe_unused]] static const auto real = next<decltype(::name)>(#name)
#define PARCONV_CALL(...) [&](auto data, std::size_t bytes) { return real(__VA_ARGS__); }
#define PARCONV_OPEN_MODE                   \
  va_list list;                             \
  va_start(list, flags);                    \
  const mode_t mode = mode_in(flags, list); \
  va_end(list)

extern "C" {

ssize_t read(int fd, void* buffer, size_t size) {
  PARCONV_NEXT(read);
  return read_by(fd, buffer, size, PARCONV_CALL(fd, data, bytes));
}
ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  PARCONV_NEXT(pread);
  return read_by(fd, buffer, size, PARCONV_CALL(fd, data, bytes, offset));
}
ssize_t pread64(int fd, void* buffer, size_t size, off64_t offset) { return pread(fd, buffer, size, offset); }
ssize_t __read_chk(int fd, void* buffer, size_t size, size_t) { return read(fd, buffer, size); }
ssize_t __pread_chk(int fd, void* buffer, size_t size, off_t offset, size_t) { return pread(fd, buffer, size, offset); }
ssize_t __pread64_chk(int fd, void* buffer, size_t size, off64_t offset, size_t) { return pread(fd, buffer, size, offset); }
ssize_t readv(int fd, const iovec* list, int count) {
  PARCONV_NEXT(readv);
  if (fault().operation != Operation::Read) return real(fd, list, count);
  return first_of(list, count, [&](void* data, size_t size) { return read(fd, data, size); });
}
ssize_t preadv(int fd, const iovec* list, int count, off_t offset) {
  PARCONV_NEXT(preadv);
  if (fault().operation != Operation::Read) return real(fd, list, count, offset);
  return first_of(list, count, [&](void* data, size_t size) { return pread(fd, data, size, offset); });
}
ssize_t preadv64(int fd, const iovec* list, int count, off64_t offset) { return preadv(fd, list, count, offset); }

ssize_t write(int fd, const void* buffer, size_t size) {
  PARCONV_NEXT(write);
  return write_by(fd, buffer, size, PARCONV_CALL(fd, data, bytes));
}
ssize_t pwrite(int fd, const void* buffer, size_t size, off_t offset) {
  PARCONV_NEXT(pwrite);
  return write_by(fd, buffer, size, PARCONV_CALL(fd, data, bytes, offset));
}
ssize_t pwrite64(int fd, const void* buffer, size_t size, off64_t offset) { return pwrite(fd, buffer, size, offset); }
ssize_t writev(int fd, const iovec* list, int count) {
  PARCONV_NEXT(writev);
  if (fault().operation != Operation::Write) return real(fd, list, count);
  return first_of(list, count, [&](void* data, size_t size) { return write(fd, data, size); });
}
ssize_t pwritev(int fd, const iovec* list, int count, off_t offset) {
  PARCONV_NEXT(pwritev);
  if (fault().operation != Operation::Write) return real(fd, list, count, offset);
  return first_of(list, count, [&](void* data, size_t size) { return pwrite(fd, data, size, offset); });
}
ssize_t pwritev64(int fd, const iovec* list, int count, off64_t offset) { return pwritev(fd, list, count, offset); }
ssize_t pwritev2(int fd, const iovec* list, int count, off_t offset, int flags) {
  PARCONV_NEXT(pwritev2);
  if (fault().operation != Operation::Write) return real(fd, list, count, offset, flags);
  return pwritev(fd, list, count, offset);
}
ssize_t pwritev64v2(int fd, const iovec* list, int count, off64_t offset, int flags) {
  return pwritev2(fd, list, count, offset, flags);
}

int fsync(int fd) {
  PARCONV_NEXT(fsync);
  return status_by(Operation::Sync, fd, [&] { return real(fd); });
}
int fdatasync(int fd) {
  PARCONV_NEXT(fdatasync);
  return status_by(Operation::Sync, fd, [&] { return real(fd); });
}
int ftruncate(int fd, off_t size) noexcept {
  PARCONV_NEXT(ftruncate);
  return status_by(Operation::Truncate, fd, [&] { return real(fd, size); });
}
int ftruncate64(int fd, off64_t size) noexcept { return ftruncate(fd, size); }
int fallocate(int fd, int mode, off_t offset, off_t size) {
  PARCONV_NEXT(fallocate);
  return status_by(Operation::Allocate, fd, [&] { return real(fd, mode, offset, size); });
}
int fallocate64(int fd, int mode, off64_t offset, off64_t size) { return fallocate(fd, mode, offset, size); }
/// Returns the error, unlike all others.
int posix_fallocate(int fd, off_t offset, off_t size) {
  PARCONV_NEXT(posix_fallocate);
  const Course course = course_of(Operation::Allocate, fd);
  if (course == Course::Failed) return errno;
  return course == Course::Lost ? 0 : real(fd, offset, size);
}
int posix_fallocate64(int fd, off64_t offset, off64_t size) { return posix_fallocate(fd, offset, size); }

/// A failed close has closed, as on Linux.
int close(int fd) {
  PARCONV_NEXT(close);
  const Course course = course_of(Operation::Close, fd);
  const int error = errno, status = real(fd);
  if (course != Course::Failed) return status;
  errno = error;
  return -1;
}

int rename(const char* from, const char* to) noexcept {
  PARCONV_NEXT(rename);
  return status_by(Operation::Rename, to, [&] { return real(from, to); });
}
int renameat(int from_fd, const char* from, int to_fd, const char* to) noexcept {
  PARCONV_NEXT(renameat);
  return status_by(Operation::Rename, to, [&] { return real(from_fd, from, to_fd, to); });
}
int renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) noexcept {
  PARCONV_NEXT(renameat2);
  return status_by(Operation::Rename, to, [&] { return real(from_fd, from, to_fd, to, flags); });
}

int open(const char* path, int flags, ...) {
  PARCONV_NEXT(open);
  PARCONV_OPEN_MODE;
  return course_of(Operation::Open, path) == Course::Failed ? -1 : real(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  PARCONV_OPEN_MODE;
  return open(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  PARCONV_NEXT(openat);
  PARCONV_OPEN_MODE;
  return course_of(Operation::Open, path) == Course::Failed ? -1 : real(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  PARCONV_OPEN_MODE;
  return openat(folder, path, flags, mode);
}
int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open(path, flags); }
int creat(const char* path, mode_t mode) { return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return creat(path, mode); }

}  // extern "C"
