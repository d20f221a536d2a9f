// SPDX-License-Identifier: Apache-2.0
// Keeps the files that a job writes apart from those that it reads.
#pragma once

#include <span>
#include <string>

namespace parconv {

/// A file and its part in messages: {"--report", "run.jsonl"}.
struct NamedFile {
  std::string part{};
  std::string path{};
};

/// Call before anything is opened for writing. Compares files by device and inode, and those that do not exist yet by folder and
/// name, so links and different spellings are seen. Throws Error(Usage) if a file of `writes` is one of `reads` or another one of
/// `writes`, and Error(CannotCreate) if it exists and is not a regular file. Local.
void require_apart(std::span<const NamedFile> reads, std::span<const NamedFile> writes);

/// `path` without symbolic links at its end: the file that is written if `path` is. It need not exist. Throws Error(CannotCreate)
/// for a cycle of links.
std::string link_target(const std::string& path);

}  // namespace parconv
