// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/read_files.hpp"

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "io/onnx/file/onnx_input_file.hpp"
#include "parconv/core/error.hpp"
#include "parconv/geometry/box.hpp"

namespace parconv {
namespace {

/// Small enough for the caches.
constexpr index_t block_bytes = index_t{256} << 10;
constexpr index_t piece_bytes = index_t{4} << 20;
constexpr index_t header_bytes = index_t{64} << 10;
constexpr index_t sample_bytes = index_t{4} << 10;
constexpr index_t num_samples = 64;
constexpr index_t ns_per_second = 1'000'000'000;

std::string digits_of(XXH64_hash_t hash) {
  std::ostringstream digits;
  digits.exceptions(std::ios_base::badbit);  // also of memory
  digits << std::hex << std::setw(16) << std::setfill('0') << hash;
  return digits.str();
}

/// A hash of consecutive ranges of a file.
class FileDigest {
 public:
  explicit FileDigest(const InputFile& file) : file_(file), state_(XXH64_createState(), &XXH64_freeState) {
    XXH64_reset(state_.get(), 0);
  }

  void add(Interval range) {
    for (index_t at = range.lo; at < range.hi; at += block_bytes) {
      buffer_.resize(static_cast<std::size_t>(std::min(block_bytes, range.hi - at)));
      file_.read(buffer_, at);
      XXH64_update(state_.get(), buffer_.data(), buffer_.size());
    }
  }

  std::uint64_t hash() const { return XXH64_digest(state_.get()); }

 private:
  const InputFile& file_;
  std::unique_ptr<XXH64_state_t, decltype(&XXH64_freeState)> state_;
  std::vector<std::byte> buffer_{};
};

Interval piece_of(index_t size, index_t piece) { return {piece * piece_bytes, std::min(size, (piece + 1) * piece_bytes)}; }

/// That of the only piece, or of the hashes of all.
XXH64_hash_t combined(std::span<const std::uint64_t> hashes) {
  if (hashes.size() == 1) return hashes.front();
  return XXH64(hashes.data(), hashes.size_bytes(), 0);
}

/// Example: of 1 MiB, [0, 64 Ki) and 64 blocks whose first bytes are 15 KiB apart.
std::vector<Interval> sampled_ranges(index_t size) {
  const index_t rest = size - header_bytes;
  if (rest <= num_samples * sample_bytes) return {{0, size}};
  std::vector<Interval> ranges{{0, header_bytes}};
  for (index_t k = 0; k < num_samples; ++k) {
    const index_t first = header_bytes + (rest - sample_bytes) * (k + 1) / num_samples;
    ranges.push_back({first, first + sample_bytes});
  }
  return ranges;
}

}  // namespace

index_t num_pieces(index_t size_bytes) { return std::max<index_t>(1, ceil_div(size_bytes, piece_bytes)); }

std::string digest_of(std::span<const std::byte> bytes) { return digits_of(XXH64(bytes.data(), bytes.size(), 0)); }
std::string digest_of(const std::string& text) { return digest_of(std::as_bytes(std::span(text))); }

struct ReadFiles::File {
  explicit File(const NamedFile& named) : part(named.part), path(named.path), file(named.path), opened(state()) {}

  /// A write changes it, and a change of the name does not.
  FileIdentity state() const {
    struct stat status{};
    if (::fstat(file.descriptor(), &status) != 0) throw Error(ExitCode::Io, concat("cannot ask for the state of ", path));
    return {.device = status.st_dev,
            .inode = status.st_ino,
            .size_bytes = status.st_size,
            .written_ns = status.st_mtim.tv_sec * ns_per_second + status.st_mtim.tv_nsec};
  }

  Fact contents(std::uint64_t hash) const {
    return {.name = concat("the contents of ", part),
            .value = concat(file.size_bytes(), " bytes with the digest ", digits_of(hash))};
  }

  std::string part;
  std::string path;
  InputFile file;
  FileIdentity opened;
};

ReadFiles::ReadFiles() = default;
ReadFiles::~ReadFiles() = default;
ReadFiles::ReadFiles(ReadFiles&&) noexcept = default;
ReadFiles& ReadFiles::operator=(ReadFiles&&) noexcept = default;

void ReadFiles::add(const NamedFile& named) {
  const auto is_there = [&](const auto& file) { return file->path == named.path; };
  if (std::none_of(files_.begin(), files_.end(), is_there)) files_.push_back(std::make_unique<File>(named));
}

std::vector<NamedFile> ReadFiles::files() const {
  std::vector<NamedFile> result;
  for (const auto& file : files_) result.push_back({file->part, file->path});
  return result;
}

const ReadFiles::File& ReadFiles::at(const std::string& path) const {
  const auto found = std::find_if(files_.begin(), files_.end(), [&](const auto& file) { return file->path == path; });
  PARCONV_EXPECT(found != files_.end(), path, " was not added");
  return **found;
}

const FileIdentity& ReadFiles::identity(const std::string& path) const { return at(path).opened; }

std::uint64_t ReadFiles::piece_hash(const std::string& path, index_t piece) const {
  const File& file = at(path);
  FileDigest digest(file.file);
  digest.add(piece_of(file.file.size_bytes(), piece));
  return digest.hash();
}

Fact ReadFiles::contents(const std::string& path, std::span<const std::uint64_t> piece_hashes) const {
  return at(path).contents(combined(piece_hashes));
}

Fact ReadFiles::contents(const std::string& path, DigestExtent extent) const {
  const File& file = at(path);
  const index_t size = file.file.size_bytes();
  if (extent == DigestExtent::Sampled) {
    FileDigest digest(file.file);
    for (const Interval range : sampled_ranges(size)) digest.add(range);
    return file.contents(digest.hash());
  }
  std::vector<std::uint64_t> hashes;
  for (index_t piece = 0; piece < num_pieces(size); ++piece) hashes.push_back(piece_hash(path, piece));
  return file.contents(combined(hashes));
}

void ReadFiles::expect_in_place(const std::string& path) const {
  const File& file = at(path);
  struct stat named{}, open{};
  const bool is_known = ::stat(path.c_str(), &named) == 0 && ::fstat(file.file.descriptor(), &open) == 0;
  if (is_known && named.st_dev == open.st_dev && named.st_ino == open.st_ino) return;
  throw Error(ExitCode::BadData, concat(file.part, " was replaced while it was read: ", path), "Run again.");
}

void ReadFiles::expect_unchanged() const {
  for (const auto& file : files_) {
    const FileIdentity now = file->state();
    if (now == file->opened) continue;
    throw Error(ExitCode::BadData,
                concat(file->part, " changed during the run: ", file->path, " was written after it was opened (",
                       file->opened.size_bytes, " bytes then, ", now.size_bytes, " now)"),
                "Run again when no other program writes it. Nothing was published.");
  }
}

}  // namespace parconv
