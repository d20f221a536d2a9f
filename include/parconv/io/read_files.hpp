// SPDX-License-Identifier: Apache-2.0
// Watches the files that a rank reads.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/comm/agreement.hpp"
#include "parconv/io/named_files.hpp"

namespace parconv {

/// The bytes of a file that stand for its contents.
enum class DigestExtent {
  Whole,
  Sampled  ///< the first 64 KiB and up to 64 blocks of 4 KiB, spread over the file
};

/// A file as one host knows it, and its state. Files with equal identities on one host hold the same bytes.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  index_t size_bytes = 0;
  index_t written_ns = 0;

  friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

/// The pieces of a file of this size that are hashed one by one; an empty file has one.
index_t num_pieces(index_t size_bytes);

/// XXH64 of `bytes` as 16 hexadecimal digits (xxhash.com). Tells different data apart; no protection against intent.
std::string digest_of(std::span<const std::byte> bytes);
std::string digest_of(const std::string& text);

/// The files that this rank reads, held open so that writes to them show, whatever happens to their names. Local.
class ReadFiles {
 public:
  ReadFiles();
  ~ReadFiles();
  ReadFiles(ReadFiles&&) noexcept;
  ReadFiles& operator=(ReadFiles&&) noexcept;

  /// Adds a file, before it is read otherwise; adding it again has no effect. Throws Error(InputMissing or Io) if it cannot be
  /// opened.
  void add(const NamedFile& file);
  /// All files that were added.
  std::vector<NamedFile> files() const;
  /// That of a file that was added, at that moment.
  const FileIdentity& identity(const std::string& path) const;
  /// XXH64 of a piece of a file that was added. Throws Error(BadData or Io) if it cannot be read.
  std::uint64_t piece_hash(const std::string& path, index_t piece) const;
  /// Size and digest of a file that was added, the latter from the hashes of all pieces in order.
  Fact contents(const std::string& path, std::span<const std::uint64_t> piece_hashes) const;
  /// Size and digest of a file that was added. Throws Error(BadData or Io) if it cannot be read.
  Fact contents(const std::string& path, DigestExtent extent) const;
  /// Throws Error(BadData) if the name of a file that was added now belongs to another file.
  void expect_in_place(const std::string& path) const;
  /// Throws Error(BadData) if a file has been written or cut since it was added. Renaming and removing it is no change.
  void expect_unchanged() const;

 private:
  struct File;
  const File& at(const std::string& path) const;

  std::vector<std::unique_ptr<File>> files_{};
};

}  // namespace parconv
