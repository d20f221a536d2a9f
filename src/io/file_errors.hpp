// SPDX-License-Identifier: Apache-2.0
// Errors of files, in the operating system's words.
#pragma once

#include <string>

#include "parconv/core/error.hpp"
#include "parconv/core/types.hpp"

namespace parconv {

/// True for a full disk, an exhausted quota, and a file larger than the process or file system allows.
bool is_out_of_space(int error);

/// The words of an errno. If space is what lacks, with the bytes that are free at `path`, or the largest size of files.
std::string words_of(int error, const std::string& path);

/// The words, and the bytes that were to be written. Example: "No space left on device; 4096 bytes are free there, 8192 needed".
std::string words_of(int error, const std::string& path, index_t needed_bytes);

/// Remedy for a file that cannot be written.
std::string writing_hint(int error);

/// An input that cannot be opened: InputMissing if it does not exist or may not be read, OutOfMemory at a limit of open files or
/// memory, Io if the file system fails.
Error opening_error(const std::string& path, int error);

/// An input that cannot be read: Io.
Error reading_error(const std::string& name, index_t offset, int error);

}  // namespace parconv
