// SPDX-License-Identifier: Apache-2.0
// Whole text files: plans, reports, tables.
#pragma once

#include <string>

namespace parconv {

/// Reads a whole file. Local. Throws Error(InputMissing) if it cannot be opened, and Error(Io) if reading fails.
std::string read_text_file(const std::string& path);

/// Creates or replaces a file. Local. Throws Error(CannotCreate or Io).
void write_text_file(const std::string& path, const std::string& text);

}  // namespace parconv
