// SPDX-License-Identifier: Apache-2.0
// Digests of files, and changes while they are read.
#include "parconv/io/read_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "parconv/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace parconv::test {
namespace {

constexpr const char* part = "the input";

class ReadFilesTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    return path;
  }

  static std::string digest(const std::string& path, DigestExtent extent) {
    ReadFiles files;
    files.add({part, path});
    return files.contents(path, extent).value;
  }

  TemporaryFolder folder_{};
};

std::string random_text(std::size_t size) {
  std::mt19937 random(5);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// XXH64 with seed 0 of "" and "abc" from xxHash's specification and its test vectors.
TEST(Digest, IsXxh64) {
  EXPECT_EQ(digest_of(std::string()), "ef46db3751d8e999");
  EXPECT_EQ(digest_of(std::string("abc")), "44bc2cf5ad770999");
}

TEST_F(ReadFilesTest, WholeDigestsSeeEveryByte) {
  std::string text = random_text(300'000);
  const std::string path = write("a", text), before = digest(path, DigestExtent::Whole);
  EXPECT_EQ(before, concat("300000 bytes with the digest ", digest_of(text)));
  for (const std::size_t at : {std::size_t{0}, std::size_t{150'001}, text.size() - 1}) {
    text[at] = static_cast<char>(text[at] ^ 1);
    write("a", text);
    EXPECT_NE(digest(path, DigestExtent::Whole), before) << at;
    text[at] = static_cast<char>(text[at] ^ 1);
  }
}

TEST_F(ReadFilesTest, LargeFilesAreHashedInPieces) {
  std::string text = random_text((9 << 20) + 17);
  const std::string path = write("a", text), before = digest(path, DigestExtent::Whole);
  ReadFiles files;
  files.add({part, path});
  ASSERT_EQ(num_pieces(files.identity(path).size_bytes), 3);
  std::vector<std::uint64_t> hashes;
  for (index_t piece = 0; piece < 3; ++piece) hashes.push_back(files.piece_hash(path, piece));
  EXPECT_EQ(files.contents(path, hashes).value, before);
  const std::size_t last = text.size() - 1, border = 4 << 20;
  for (const std::size_t at : {std::size_t{0}, border - 1, border, last}) {
    text[at] = static_cast<char>(text[at] ^ 1);
    EXPECT_NE(digest(write("b", text), DigestExtent::Whole), before) << at;
    text[at] = static_cast<char>(text[at] ^ 1);
  }
  std::swap_ranges(text.begin(), text.begin() + border, text.begin() + border);
  EXPECT_NE(digest(write("b", text), DigestExtent::Whole), before) << "the order of pieces counts";
  EXPECT_EQ(num_pieces(0), 1);
  EXPECT_EQ(num_pieces(border), 1);
  EXPECT_EQ(num_pieces(border + 1), 2);
}

// 64 KiB at the start, and one of every 16 blocks of 4 KiB behind.
TEST_F(ReadFilesTest, SampledDigestsSeeHeaderEndAndAPartOfTheRest) {
  std::string text = random_text((64 + 64 * 64) << 10);
  const std::string path = write("a", text), before = digest(path, DigestExtent::Sampled);
  int seen = 0;
  constexpr int tried = 128;
  for (int k = 0; k < tried; ++k) {
    const std::size_t at = (std::size_t{64} << 10) + static_cast<std::size_t>(k) * 32768 + 100;
    text[at] = static_cast<char>(text[at] ^ 1);
    seen += digest(write("b", text), DigestExtent::Sampled) != before ? 1 : 0;
    text[at] = static_cast<char>(text[at] ^ 1);
  }
  EXPECT_GE(seen, 1);
  EXPECT_LT(seen, tried / 2);
  for (const std::size_t at : {std::size_t{0}, std::size_t{65535}, text.size() - 1}) {
    text[at] = static_cast<char>(text[at] ^ 1);
    EXPECT_NE(digest(write("b", text), DigestExtent::Sampled), before) << at;
    text[at] = static_cast<char>(text[at] ^ 1);
  }
}

TEST_F(ReadFilesTest, MissingFilesAreRefused) {
  ReadFiles files;
  EXPECT_THROW(files.add({part, folder_ / "none"}), Error);
}

/// Timestamps of file systems may be as coarse as a kernel tick.
void wait_for_a_new_timestamp() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

TEST_F(ReadFilesTest, WritesAndCutsAreChanges) {
  const auto expect_change = [&](const std::function<void(const std::string&)>& change) {
    const std::string path = write("a", random_text(10'000));
    ReadFiles files;
    files.add({part, path});
    files.expect_unchanged();
    wait_for_a_new_timestamp();
    change(path);
    try {
      files.expect_unchanged();
      ADD_FAILURE() << "no change was seen";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::BadData);
      EXPECT_NE(std::string(error.what()).find("the input changed during the run"), std::string::npos) << error.what();
    }
  };
  expect_change([](const std::string& path) { std::filesystem::resize_file(path, 5'000); });
  expect_change([](const std::string& path) { std::ofstream(path, std::ios::app) << "more"; });
  expect_change([](const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << "other";
  });
}

TEST_F(ReadFilesTest, NamesMayChange) {
  const std::string path = write("a", "first");
  ReadFiles files;
  files.add({part, path});
  files.expect_in_place(path);
  wait_for_a_new_timestamp();
  std::filesystem::rename(write("b", "second"), path);
  files.expect_unchanged();
  EXPECT_THROW(files.expect_in_place(path), Error);
  std::filesystem::remove(path);
  files.expect_unchanged();
}

}  // namespace
}  // namespace parconv::test
