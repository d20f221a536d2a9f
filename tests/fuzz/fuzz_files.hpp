// SPDX-License-Identifier: Apache-2.0
// Whole files as strings.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace parconv::test {

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace parconv::test
