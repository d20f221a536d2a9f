// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/text_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "io/descriptor.hpp"
#include "io/file_bytes.hpp"
#include "io/file_errors.hpp"
#include "parconv/device/resource_limits.hpp"

namespace parconv {
namespace {

bool is_regular(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

}  // namespace

/// Not by pread: a pipe is read too.
std::string read_text_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw opening_error(path, errno);
  std::string text;
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t count = ::read(file.get(), part.data(), part.size());
    if (count == 0) return text;
    if (count > 0) text.append(part.data(), static_cast<std::size_t>(count));
    if (count > 0 || errno == EINTR) continue;
    throw Error(errno == EISDIR ? ExitCode::InputMissing : ExitCode::Io,
                concat("cannot read ", path, " at byte ", text.size(), ": ", std::strerror(errno)));
  }
}

void write_text_file(const std::string& path, const std::string& text) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) {
    if (const auto limit = limit_error(concat("cannot create ", path), errno)) throw *limit;
    throw Error(is_out_of_space(errno) ? ExitCode::Io : ExitCode::CannotCreate,
                concat("cannot create ", path, ": ", words_of(errno, path)), "Check the folder and its permissions.");
  }
  if (!write_bytes(file.get(), text, 0) || !file.close()) {
    const int error = errno;
    throw Error(ExitCode::Io, concat("cannot write ", path, ": ", words_of(error, path, std::ssize(text))), writing_hint(error));
  }
  if (is_regular(path) && read_text_file(path) != text)
    throw Error(ExitCode::Io, concat(path, " reads back differently from what was written"), "Choose another disk.");
}

}  // namespace parconv
