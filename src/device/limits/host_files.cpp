// SPDX-License-Identifier: Apache-2.0
#include "device/limits/host_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace parconv {
namespace {

struct Descriptor {
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
  int value = -1;
};

}  // namespace

std::string text_of_file(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t size = 1; file.value >= 0 && size > 0;) {
    size = ::read(file.value, block.data(), block.size());
    if (size > 0) text.append(block.data(), static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace parconv
