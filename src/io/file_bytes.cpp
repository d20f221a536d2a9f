// SPDX-License-Identifier: Apache-2.0
#include "io/file_bytes.hpp"

#include <unistd.h>

#include <cerrno>

namespace parconv {

index_t read_bytes(int descriptor, std::span<char> target, index_t offset) {
  index_t done = 0;
  while (done < std::ssize(target)) {
    const std::span<char> rest = target.subspan(static_cast<std::size_t>(done));
    const ssize_t count = ::pread(descriptor, rest.data(), rest.size(), offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    done += count;
  }
  return done;
}

bool write_bytes(int descriptor, std::span<const char> bytes, index_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor, bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) errno = EIO;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += count;
  }
  return true;
}

}  // namespace parconv
