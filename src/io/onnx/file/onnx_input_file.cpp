// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/file/onnx_input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/file_bytes.hpp"
#include "io/file_errors.hpp"
#include "parconv/core/error.hpp"

namespace parconv {

/// O_NONBLOCK, since opening a FIFO would otherwise block until a writer appears.
InputFile::InputFile(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) throw opening_error(path, errno);
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
  const std::span<char> bytes(reinterpret_cast<char*>(target.data()), target.size());
  const index_t count = read_bytes(descriptor_, bytes, offset_bytes);
  if (count < 0) throw reading_error(path_, offset_bytes, errno);
  if (count < std::ssize(bytes))
    throw Error(ExitCode::BadData,
                concat("'", path_, "' ends at byte ", offset_bytes + count, ", ", std::ssize(bytes) - count,
                       " bytes of weights are missing"),
                "the file was truncated or replaced; copy it again");
}

}  // namespace parconv
