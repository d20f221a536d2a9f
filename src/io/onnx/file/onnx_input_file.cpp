// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/file/onnx_input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "parconv/core/error.hpp"

namespace parconv {

/// O_NONBLOCK, since opening a FIFO would otherwise block until a writer appears.
InputFile::InputFile(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0)
    throw Error(ExitCode::InputMissing, concat("cannot open '", path, "': ", std::strerror(errno)),
                "check the path and its permissions on every host");
  struct stat status{};
  const bool is_file = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (!is_file) {
    ::close(descriptor_);
    throw Error(ExitCode::InputMissing, concat("'", path, "' is not a regular file"));
  }
  size_bytes_ = status.st_size;
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::span<std::byte> target, index_t offset_bytes) const {
  while (!target.empty()) {
    const ssize_t got = ::pread(descriptor_, target.data(), target.size(), offset_bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ExitCode::Io, concat("reading '", path_, "' at byte ", offset_bytes, " failed: ", std::strerror(errno)));
    if (got == 0)
      throw Error(ExitCode::BadData,
                  concat("'", path_, "' ends at byte ", offset_bytes, ", ", target.size(), " bytes of weights are missing"),
                  "the file was truncated or replaced; copy it again");
    target = target.subspan(static_cast<std::size_t>(got));
    offset_bytes += got;
  }
}

}  // namespace parconv
