// SPDX-License-Identifier: Apache-2.0
// The record of a job's progress: what a later job needs to go on with its partial files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parconv/comm/agreement.hpp"
#include "parconv/geometry/box.hpp"
#include "parconv/io/hdf5/block_record.hpp"
#include "parconv/io/resume/job_owner.hpp"

namespace parconv {

/// A partial file without the elements of its tensor, as it was after its creation.
struct RecordedFile {
  index_t size_bytes = 0;
  Interval elements{};  ///< the bytes of the tensor's elements
  std::string rest{};   ///< all other bytes, in their order

  friend bool operator==(const RecordedFile&, const RecordedFile&) = default;
};

/// How a job divides its layers and samples.
struct RecordedPlan {
  std::string json{};  ///< see plan_to_json
  index_t batch = 1, micro_batch = 1;

  friend bool operator==(const RecordedPlan&, const RecordedPlan&) = default;
};

/// Blocks by output of the network, in its order.
using RecordedBlocks = std::vector<std::vector<BlockRecord>>;

/// A record as far as it is valid.
struct ResumeRecord {
  std::string job_id{};
  std::string output{};       ///< name of the first output's file
  std::vector<Fact> facts{};  ///< what identifies the results: model, inputs, options
  RecordedPlan plan{};        ///< of the first job
  index_t num_samples = 0;
  JobOwner owner{};                   ///< the last job that went on
  std::vector<RecordedFile> files{};  ///< by output; empty until all are created
  index_t samples_done = 0;           ///< the first samples of all outputs are complete and on disk
  RecordedBlocks blocks{};            ///< of these samples

  friend bool operator==(const ResumeRecord&, const ResumeRecord&) = default;
};

/// A record is a sequence of entries that are only appended: one of the job, one of its files once they are created, one for each
/// progress, and one for each job that goes on. An entry is a head of 24 bytes (magic, kind, size, hash) and its contents. The
/// hash is the xxh64 of kind, size and contents, seeded with the hash of the entry before: a torn or changed entry ends the
/// record, and so does one of another record. Numbers are little-endian.
class RecordEntries {
 public:
  /// Appends after an entry with `last_hash`; 0: at the beginning.
  explicit RecordEntries(std::uint64_t last_hash = 0) : last_hash_(last_hash) {}

  /// The bytes of an entry, which have to be written next.
  std::string job(const ResumeRecord& record);
  std::string files(std::span<const RecordedFile> files);
  /// `blocks`: those since the progress before.
  std::string progress(index_t samples_done, const RecordedBlocks& blocks);
  std::string owner(const JobOwner& owner);

 private:
  std::string entry(std::uint32_t kind, const std::string& contents);

  std::uint64_t last_hash_;
};

/// A record and where it goes on.
struct ParsedRecord {
  ResumeRecord record{};
  index_t valid_bytes = 0;  ///< what follows is torn or foreign
  std::uint64_t last_hash = 0;
};

/// Reads a record up to the first entry that is not valid. Pure; accepts any bytes. nullopt without a valid first entry.
std::optional<ParsedRecord> parse_record(std::span<const std::byte> bytes);

/// Blocks as bytes, for messages between ranks.
std::string packed(std::span<const BlockRecord> blocks);
/// Appends the blocks of packed(). Precondition: whole blocks.
void unpack(const std::string& text, std::vector<BlockRecord>& blocks);

}  // namespace parconv
