// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/files/text_files.hpp"

#include <fstream>
#include <sstream>

#include "parconv/core/error.hpp"

namespace parconv {

std::string read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    throw Error(ExitCode::InputMissing, concat("cannot read ", path), "Check the path and the permissions.");
  return text.str();
}

void write_text_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) throw Error(ExitCode::CannotCreate, concat("cannot create ", path), "Check the folder and its permissions.");
  file << text;
  file.close();
  if (!file) throw Error(ExitCode::Io, concat("cannot write ", path), "Check the free disk space.");
}

}  // namespace parconv
