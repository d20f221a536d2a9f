// SPDX-License-Identifier: Apache-2.0
// Ranks that share a file, or have other files, state the digests that each would find alone.
#include "session/files/shared_contents.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "support/mpi_test.hpp"
#include "support/temporary_folder.hpp"

namespace parconv::test {
namespace {

std::string write(const std::string& path, std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

class SharedContents : public ::testing::Test {
 protected:
  SharedContents() : shared_folder_(control().broadcast(folder_ / "")), job_(control().split(0)) {}

  void add(const std::string& part, const std::string& path) {
    files_.push_back({part, path});
    watched_.add(files_.back());
  }

  void expect_own_digests() {
    const std::vector<Fact> facts = shared_contents(job_, watched_, files_);
    ASSERT_EQ(facts.size(), files_.size());
    for (std::size_t k = 0; k < facts.size(); ++k)
      EXPECT_EQ(facts[k], watched_.contents(files_[k].path, DigestExtent::Whole)) << files_[k].path;
  }

  TemporaryFolder folder_{};
  std::string shared_folder_;
  JobContext job_;
  ReadFiles watched_{};
  std::vector<NamedFile> files_{};
};

TEST_F(SharedContents, OfOneFile) {
  if (rank() == 0) write(shared_folder_ + "model", (21 << 20) + 5, 1);
  job_.control().barrier();
  add("the model", shared_folder_ + "model");
  expect_own_digests();
}

TEST_F(SharedContents, OfCopiesAndOfFilesThatOthersLack) {
  if (rank() == 0) write(shared_folder_ + "empty", 0, 1);
  job_.control().barrier();
  add("the model", write(folder_ / "copy", 10 << 20, 2));
  add("nothing", shared_folder_ + "empty");
  for (int k = 0; k < rank(); ++k) add("weights", write(folder_ / std::to_string(k), 5 << 20, static_cast<unsigned>(k)));
  add("the model again", folder_ / "copy");
  expect_own_digests();
}

TEST_F(SharedContents, OfFilesThatSomeRanksShareUnderAnotherName) {
  if (rank() == 0) write(shared_folder_ + "model", 13 << 20, 3);
  job_.control().barrier();
  const std::string link = folder_ / "link";
  std::filesystem::create_symlink(shared_folder_ + "model", link);
  add("the model", rank() % 2 == 0 ? shared_folder_ + "model" : link);
  expect_own_digests();
}

TEST_F(SharedContents, FilesThatCannotBeReadAreAnErrorOfAllRanks) {
  if (rank() == 0) write(shared_folder_ + "model", 13 << 20, 4);
  job_.control().barrier();
  add("the model", shared_folder_ + "model");
  job_.control().barrier();
  if (rank() == 0) std::filesystem::resize_file(shared_folder_ + "model", 100);
  job_.control().barrier();
  EXPECT_THROW(shared_contents(job_, watched_, files_), JobError);
}

}  // namespace
}  // namespace parconv::test
