// SPDX-License-Identifier: Apache-2.0
// Records of progress: what was written is read; what was torn, changed or of another record ends a record, and is never read.
#include "parconv/io/resume/resume_record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <span>

#include "io/resume/record_entry.hpp"

#include "support/random.hpp"

namespace parconv::test {
namespace {

Box box_of(index_t first, index_t end) {
  return {{Interval{first, end}, Interval{0, 3}, Interval{0, 1}, Interval{0, 5}, Interval{0, 7}}};
}

ResumeRecord example() {
  return {.job_id = "17-node1-4711",
          .output = "out:1.h5",
          .facts = {{"the contents of the model", "12 bytes"}, {"--scale", ""}, {"größe", std::string("a\0b", 3)}},
          .plan = {.json = "{}", .batch = 8, .micro_batch = 2},
          .num_samples = 9,
          .owner = {
              .host = "node1", .boot = "b", .pid = 4711, .num_ranks = 4, .num_hosts = 2, .slurm_job = "12", .slurm_restarts = 1}};
}

std::vector<RecordedFile> example_files() {
  return {{.size_bytes = 20, .elements = {4, 16}, .rest = std::string("head\0ail", 8)}, {.size_bytes = 3, .elements = {0, 3}}};
}

/// A whole record, the ends of its entries, and what each prefix of entries holds.
struct Written {
  std::string bytes{};
  std::vector<std::size_t> ends{};
  std::vector<ResumeRecord> states{};

  void add(const std::string& entry, const ResumeRecord& state) {
    bytes += entry;
    ends.push_back(bytes.size());
    states.push_back(state);
  }
};

Written written() {
  Written all;
  RecordEntries entries;
  ResumeRecord state = example();
  all.add(entries.job(state), state);
  state.files = example_files();
  state.blocks.resize(2);
  all.add(entries.files(state.files), state);
  for (const index_t done : {index_t{2}, index_t{7}}) {
    const RecordedBlocks blocks{{{.box = box_of(state.samples_done, done), .hash = 5}},
                                {{.box = box_of(state.samples_done, done), .hash = 6}, {.box = box_of(0, 1), .hash = 7}}};
    for (std::size_t k = 0; k < 2; ++k) state.blocks[k].insert(state.blocks[k].end(), blocks[k].begin(), blocks[k].end());
    state.samples_done = done;
    all.add(entries.progress(done, blocks), state);
  }
  state.owner.host = "node2";
  all.add(entries.owner(state.owner), state);
  return all;
}

std::optional<ParsedRecord> parsed(const std::string& bytes) { return parse_record(std::as_bytes(std::span(bytes))); }

/// The entries that end within the first `size` bytes.
std::size_t whole_entries(const Written& all, std::size_t size) {
  return static_cast<std::size_t>(std::count_if(all.ends.begin(), all.ends.end(), [&](std::size_t end) { return end <= size; }));
}

void expect_entries(const Written& all, const std::string& bytes, std::size_t count) {
  const auto read = parsed(bytes);
  ASSERT_EQ(read.has_value(), count > 0);
  if (count == 0) return;
  EXPECT_EQ(read->valid_bytes, static_cast<index_t>(all.ends[count - 1]));
  EXPECT_EQ(read->record, all.states[count - 1]);
}

TEST(ResumeRecord, IsReadAsItWasWritten) {
  const Written all = written();
  expect_entries(all, all.bytes, 5);
  RecordEntries more(parsed(all.bytes)->last_hash);
  const auto read = parsed(all.bytes + more.progress(9, {{}, {}}));
  EXPECT_EQ(read->record.samples_done, 9);
}

TEST(ResumeRecord, NoBytesAndForeignBytesAreNone) {
  EXPECT_FALSE(parsed(""));
  EXPECT_FALSE(parsed(std::string(1000, '\0')));
  EXPECT_FALSE(parsed("\x89HDF\r\n\x1a\n" + std::string(500, 'x')));
  const Written all = written();
  EXPECT_FALSE(parsed(all.bytes.substr(all.ends[0])));
}

TEST(ResumeRecord, ATornEndLeavesTheEntriesBefore) {
  const Written all = written();
  for (std::size_t size = 0; size <= all.bytes.size(); ++size) {
    SCOPED_TRACE(size);
    expect_entries(all, all.bytes.substr(0, size), whole_entries(all, size));
  }
}

TEST(ResumeRecord, AnEndThatNeverReachedTheDiskLeavesTheEntriesBefore) {
  const Written all = written();
  for (std::size_t size = 0; size < all.bytes.size(); size += 3) {
    std::string bytes = all.bytes;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(size), bytes.end(), '\0');
    const auto same =
        static_cast<std::size_t>(std::mismatch(bytes.begin(), bytes.end(), all.bytes.begin()).first - bytes.begin());
    SCOPED_TRACE(size);
    expect_entries(all, bytes, whole_entries(all, same));
  }
}

TEST(ResumeRecord, AChangedByteEndsTheRecordThere) {
  const Written all = written();
  for (std::size_t at = 0; at < all.bytes.size(); ++at)
    for (const char change : {'\x01', '\x80', '\x7f'}) {
      std::string bytes = all.bytes;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      SCOPED_TRACE(at);
      expect_entries(all, bytes, whole_entries(all, at));
    }
}

TEST(ResumeRecord, EntriesOfAnotherRecordAreNotRead) {
  const Written all = written();
  ResumeRecord other = example();
  other.job_id = "18-node1-4712";
  const std::string job = RecordEntries().job(other);
  const auto read = parsed(job + all.bytes.substr(all.ends[0]));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->valid_bytes, std::ssize(job));
  EXPECT_TRUE(read->record.files.empty());
}

TEST(ResumeRecord, RepeatedAndReorderedEntriesAreNotRead) {
  const Written all = written();
  const std::string third = all.bytes.substr(all.ends[1], all.ends[2] - all.ends[1]);
  expect_entries(all, all.bytes.substr(0, all.ends[2]) + third, 3);
  expect_entries(all, all.bytes.substr(0, all.ends[1]) + all.bytes.substr(all.ends[2]), 2);
}

TEST(ResumeRecord, ImpossibleContentsWithARightHashAreNotRead) {
  const auto accepted = [](const auto& entry) {
    RecordEntries entries;
    const std::string job = entries.job(example());
    const std::string next = entry(entries);
    return parsed(job + next)->valid_bytes > std::ssize(job);
  };
  EXPECT_TRUE(accepted([](RecordEntries& e) { return e.files(example_files()); }));
  EXPECT_FALSE(accepted([](RecordEntries& e) { return e.files({}); }));
  EXPECT_FALSE(accepted([](RecordEntries& e) { return e.progress(1, {{}, {}}); })) << "no files";
  EXPECT_FALSE(accepted([](RecordEntries& e) { return e.job(example()); })) << "a second job";
  for (const RecordedFile& file : {RecordedFile{.size_bytes = 10, .elements = {4, 11}, .rest = "12345"},
                                   RecordedFile{.size_bytes = 10, .elements = {-1, 4}, .rest = "12345"},
                                   RecordedFile{.size_bytes = 10, .elements = {4, 4}, .rest = "1234567890"},
                                   RecordedFile{.size_bytes = 10, .elements = {4, 6}, .rest = "1"}})
    EXPECT_FALSE(accepted([&](RecordEntries& e) { return e.files(std::vector{file}); }));
  const auto accepted_progress = [&](index_t samples, const RecordedBlocks& blocks) {
    return accepted([&](RecordEntries& e) {
      const std::string files = e.files(example_files());
      const std::string progress = e.progress(samples, blocks);
      return files + progress;
    });
  };
  RecordEntries entries;
  std::string before = entries.job(example());
  before += entries.files(example_files());
  for (const auto& [samples, blocks] :
       std::vector<std::pair<index_t, RecordedBlocks>>{{10, {{}, {}}}, {-1, {{}, {}}}, {3, {{}}}}) {
    RecordEntries next = entries;
    EXPECT_EQ(parsed(before + next.progress(samples, blocks))->record.samples_done, 0) << samples;
  }
  EXPECT_TRUE(accepted_progress(3, {{}, {}}));
}

TEST(ResumeRecord, RandomContentsWithRightHashesAreReadOrNot) {
  Random random(5);
  int accepted = 0;
  for (int k = 0; k < 5000; ++k) {
    RecordEntries entries;
    std::string bytes = entries.job(example());
    bytes += entries.files(example_files());
    std::uint64_t last_hash = parsed(bytes)->last_hash;
    std::string contents;
    // Numbers that are mostly small, as sizes and counts are.
    for (index_t count = random.integer(2, 6); count > 0; --count) {
      const index_t number =
          random.integer(0, 9) == 0 ? std::numeric_limits<index_t>::min() + random.integer(0, 9) : random.integer(0, 2);
      contents.append(reinterpret_cast<const char*>(&number), sizeof(number));
    }
    const std::string next = framed_entry(static_cast<std::uint32_t>(random.integer(0, 5)), contents, last_hash);
    const auto read = parsed(bytes + next);
    ASSERT_TRUE(read);
    accepted += read->valid_bytes == std::ssize(bytes + next) ? 1 : 0;
    EXPECT_GE(read->valid_bytes, std::ssize(bytes));
    EXPECT_LE(read->record.samples_done, read->record.num_samples);
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 1000);
}

TEST(ResumeRecord, RandomBytesAfterAValidBeginAreNotRead) {
  const Written all = written();
  Random random(3);
  for (int k = 0; k < 2000; ++k) {
    std::string bytes = all.bytes.substr(0, all.ends[1]);
    const index_t count = random.integer(0, 200);
    for (index_t n = 0; n < count; ++n) bytes += static_cast<char>(random.integer(0, 255));
    expect_entries(all, bytes, 2);
  }
}

}  // namespace
}  // namespace parconv::test
