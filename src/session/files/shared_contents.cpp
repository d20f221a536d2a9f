// SPDX-License-Identifier: Apache-2.0
#include "session/files/shared_contents.hpp"

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace parconv {
namespace {

/// The ranks of this host by the files that they have opened, in rank order.
using Readers = std::map<FileIdentity, std::vector<int>>;
/// A piece of a file of this host.
using Piece = std::pair<FileIdentity, index_t>;
using PieceHashes = std::map<Piece, std::uint64_t>;

std::ostream& operator<<(std::ostream& out, const FileIdentity& file) {
  return out << file.device << ' ' << file.inode << ' ' << file.size_bytes << ' ' << file.written_ns;
}

std::istream& operator>>(std::istream& in, FileIdentity& file) {
  return in >> file.device >> file.inode >> file.size_bytes >> file.written_ns;
}

std::string text_of(const std::set<FileIdentity>& files) {
  std::ostringstream text;
  text.exceptions(std::ios_base::badbit);  // also of memory
  for (const FileIdentity& file : files) text << file << '\n';
  return text.str();
}

std::string text_of(const PieceHashes& hashes) {
  std::ostringstream text;
  text.exceptions(std::ios_base::badbit);
  for (const auto& [piece, hash] : hashes) text << piece.first << ' ' << piece.second << ' ' << hash << '\n';
  return text.str();
}

Readers readers_from(std::span<const std::string> texts) {
  Readers readers;
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    std::istringstream text(texts[rank]);
    for (FileIdentity file; text >> file;) readers[file].push_back(static_cast<int>(rank));
  }
  return readers;
}

PieceHashes hashes_from(std::span<const std::string> texts) {
  PieceHashes hashes;
  for (const std::string& each : texts) {
    std::istringstream text(each);
    Piece piece;
    for (std::uint64_t hash = 0; text >> piece.first >> piece.second >> hash;) hashes[piece] = hash;
  }
  return hashes;
}

/// The pieces that are the turn of `rank`.
PieceHashes hashes_of_turn(int rank, const Readers& readers, const ReadFiles& watched, std::span<const NamedFile> files) {
  PieceHashes hashes;
  for (const NamedFile& named : files) {
    const FileIdentity& file = watched.identity(named.path);
    const std::vector<int>& ranks = readers.at(file);
    for (index_t piece = 0; piece < num_pieces(file.size_bytes); ++piece) {
      const bool is_own = ranks[static_cast<std::size_t>(piece % std::ssize(ranks))] == rank;
      if (is_own && !hashes.contains({file, piece})) hashes[{file, piece}] = watched.piece_hash(named.path, piece);
    }
  }
  return hashes;
}

Fact contents_from(const PieceHashes& hashes, const ReadFiles& watched, const NamedFile& named) {
  const FileIdentity& file = watched.identity(named.path);
  std::vector<std::uint64_t> own;
  for (index_t piece = 0; piece < num_pieces(file.size_bytes); ++piece) own.push_back(hashes.at({file, piece}));
  return watched.contents(named.path, own);
}

}  // namespace

std::vector<Fact> shared_contents(JobContext& job, const ReadFiles& watched, std::span<const NamedFile> files) {
  Control host = job.control().split(job.control().nodes()[static_cast<std::size_t>(job.rank())]);
  const std::string own = job.together(JobPhase::Read, [&] {
    std::set<FileIdentity> identities;
    for (const NamedFile& file : files) identities.insert(watched.identity(file.path));
    return text_of(identities);
  });
  const std::vector<std::string> identities = host.all_gather(own);
  const std::string turn = job.together(
      JobPhase::Read, [&] { return text_of(hashes_of_turn(host.rank(), readers_from(identities), watched, files)); });
  const std::vector<std::string> hashes = host.all_gather(turn);
  return job.together(JobPhase::Read, [&] {
    const PieceHashes all = hashes_from(hashes);
    std::vector<Fact> facts;
    for (const NamedFile& file : files) facts.push_back(contents_from(all, watched, file));
    return facts;
  });
}

}  // namespace parconv
