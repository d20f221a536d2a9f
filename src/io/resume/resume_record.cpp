// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/resume/resume_record.hpp"

#include <xxhash.h>

#include <bit>
#include <cstring>
#include <memory>

#include "io/resume/record_bytes.hpp"
#include "io/resume/record_entry.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

static_assert(std::endian::native == std::endian::little);
static_assert(std::is_trivially_copyable_v<BlockRecord>);

enum Kind : std::uint32_t { Job = 1, Files = 2, Progress = 3, Owner = 4 };

struct Head {
  std::array<char, 4> magic{'p', 'c', 'r', '1'};
  std::uint32_t kind = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t hash = 0;
};
static_assert(sizeof(Head) == 24);

std::uint64_t hash_of(const Head& head, std::span<const std::byte> contents, std::uint64_t last_hash) {
  const std::unique_ptr<XXH64_state_t, decltype(&XXH64_freeState)> state(XXH64_createState(), &XXH64_freeState);
  XXH64_reset(state.get(), last_hash);
  XXH64_update(state.get(), &head.kind, sizeof(head.kind) + sizeof(head.size_bytes));
  XXH64_update(state.get(), contents.data(), contents.size());
  return XXH64_digest(state.get());
}

// ---- Contents of entries ----

void put(RecordBytes& to, const JobOwner& owner) {
  for (const std::string* text : {&owner.host, &owner.boot, &owner.slurm_cluster, &owner.slurm_job}) to.put(*text);
  for (const index_t number : {owner.pid, owner.num_ranks, owner.num_hosts, owner.slurm_restarts}) to.put(number);
}

JobOwner take_owner(RecordReader& from) {
  JobOwner owner;
  for (std::string* text : {&owner.host, &owner.boot, &owner.slurm_cluster, &owner.slurm_job}) *text = from.text();
  for (index_t* number : {&owner.pid, &owner.num_ranks, &owner.num_hosts, &owner.slurm_restarts}) *number = from.number();
  return owner;
}

ResumeRecord take_job(RecordReader& from) {
  ResumeRecord record{.job_id = from.text(), .output = from.text()};
  for (index_t left = from.count(2 * sizeof(index_t)); left > 0; --left) {
    Fact fact{.name = from.text()};
    fact.value = from.text();
    record.facts.push_back(std::move(fact));
  }
  record.plan = {.json = from.text(), .batch = from.number(), .micro_batch = from.number()};
  record.num_samples = from.number();
  record.owner = take_owner(from);
  from.expect(record.num_samples > 0 && record.plan.batch > 0 && record.plan.micro_batch > 0);
  return record;
}

std::vector<RecordedFile> take_files(RecordReader& from) {
  std::vector<RecordedFile> files;
  for (index_t left = from.count(4 * sizeof(index_t)); left > 0; --left) {
    RecordedFile file{.size_bytes = from.number()};
    file.elements.lo = from.number();
    file.elements.hi = from.number();
    file.rest = from.text();
    from.expect(0 <= file.elements.lo && file.elements.lo < file.elements.hi && file.elements.hi <= file.size_bytes);
    from.expect(file.size_bytes - file.elements.size() == std::ssize(file.rest));
    files.push_back(std::move(file));
  }
  from.expect(!files.empty());
  return files;
}

/// Adds the blocks of a progress to those before.
void take_progress(RecordReader& from, ResumeRecord& record) {
  const index_t samples_done = from.number();
  from.expect(samples_done >= record.samples_done && samples_done <= record.num_samples);
  from.expect(!record.files.empty() && from.number() == std::ssize(record.files));
  RecordedBlocks blocks(record.files.size());
  for (auto& list : blocks) from.take_list(list);
  from.expect_end();
  record.samples_done = samples_done;
  for (std::size_t k = 0; k < blocks.size(); ++k)
    record.blocks[k].insert(record.blocks[k].end(), blocks[k].begin(), blocks[k].end());
}

/// Applies an entry to the entries before it. Throws NotARecord.
void apply(std::uint32_t kind, RecordReader from, std::optional<ResumeRecord>& record) {
  from.expect((kind == Job) != record.has_value());
  switch (kind) {
    case Job:
      record = take_job(from);
      break;
    case Files:
      from.expect(record->files.empty());
      record->files = take_files(from);
      record->blocks.resize(record->files.size());
      break;
    case Progress:
      take_progress(from, *record);
      return;
    case Owner:
      record->owner = take_owner(from);
      break;
    default:
      from.expect(false);
  }
}

/// The next entry, whole and with the right hash; nullopt at the end of what is valid.
struct Entry {
  Head head{};
  std::span<const std::byte> contents{};
  index_t size_bytes() const { return static_cast<index_t>(sizeof(Head) + contents.size()); }
};

std::optional<Entry> next_entry(std::span<const std::byte> bytes, std::uint64_t last_hash) {
  Entry entry;
  if (bytes.size() < sizeof(Head)) return std::nullopt;
  std::memcpy(&entry.head, bytes.data(), sizeof(Head));
  bytes = bytes.subspan(sizeof(Head));
  if (entry.head.magic != Head{}.magic || entry.head.size_bytes > bytes.size()) return std::nullopt;
  entry.contents = bytes.first(static_cast<std::size_t>(entry.head.size_bytes));
  if (hash_of(entry.head, entry.contents, last_hash) != entry.head.hash) return std::nullopt;
  return entry;
}

}  // namespace

std::string framed_entry(std::uint32_t kind, const std::string& contents, std::uint64_t& last_hash) {
  Head head{.kind = kind, .size_bytes = contents.size()};
  head.hash = last_hash = hash_of(head, std::as_bytes(std::span(contents)), last_hash);
  std::string bytes(sizeof(Head), '\0');
  std::memcpy(bytes.data(), &head, sizeof(Head));
  return bytes + contents;
}

std::string RecordEntries::entry(std::uint32_t kind, const std::string& contents) {
  return framed_entry(kind, contents, last_hash_);
}

std::string RecordEntries::job(const ResumeRecord& record) {
  RecordBytes bytes;
  bytes.put(record.job_id);
  bytes.put(record.output);
  bytes.put(std::ssize(record.facts));
  for (const Fact& fact : record.facts) {
    bytes.put(fact.name);
    bytes.put(fact.value);
  }
  bytes.put(record.plan.json);
  for (const index_t number : {record.plan.batch, record.plan.micro_batch, record.num_samples}) bytes.put(number);
  put(bytes, record.owner);
  return entry(Job, bytes.text());
}

std::string RecordEntries::files(std::span<const RecordedFile> files) {
  RecordBytes bytes;
  bytes.put(std::ssize(files));
  for (const RecordedFile& file : files) {
    for (const index_t number : {file.size_bytes, file.elements.lo, file.elements.hi}) bytes.put(number);
    bytes.put(file.rest);
  }
  return entry(Files, bytes.text());
}

std::string RecordEntries::progress(index_t samples_done, const RecordedBlocks& blocks) {
  RecordBytes bytes;
  bytes.put(samples_done);
  bytes.put(std::ssize(blocks));
  for (const std::vector<BlockRecord>& list : blocks) bytes.put_list(std::span(list));
  return entry(Progress, bytes.text());
}

std::string RecordEntries::owner(const JobOwner& owner) {
  RecordBytes bytes;
  put(bytes, owner);
  return entry(Owner, bytes.text());
}

std::optional<ParsedRecord> parse_record(std::span<const std::byte> bytes) {
  std::optional<ResumeRecord> record;
  ParsedRecord parsed;
  while (const std::optional<Entry> entry =
             next_entry(bytes.subspan(static_cast<std::size_t>(parsed.valid_bytes)), parsed.last_hash)) {
    try {
      apply(entry->head.kind, RecordReader(entry->contents), record);
    } catch (const NotARecord&) {
      break;
    }
    parsed.valid_bytes += entry->size_bytes();
    parsed.last_hash = entry->head.hash;
  }
  if (!record) return std::nullopt;
  parsed.record = *std::move(record);
  return parsed;
}

std::string packed(std::span<const BlockRecord> blocks) {
  std::string text(blocks.size_bytes(), '\0');
  if (!blocks.empty()) std::memcpy(text.data(), blocks.data(), blocks.size_bytes());
  return text;
}

void unpack(const std::string& text, std::vector<BlockRecord>& blocks) {
  PARCONV_EXPECT(text.size() % sizeof(BlockRecord) == 0, text.size());
  const std::size_t before = blocks.size();
  blocks.resize(before + text.size() / sizeof(BlockRecord));
  if (!text.empty()) std::memcpy(blocks.data() + before, text.data(), text.size());
}

}  // namespace parconv
