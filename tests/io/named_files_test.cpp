// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/named_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "parconv/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace parconv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class NamedFilesTest : public ::testing::Test {
 protected:
  NamedFilesTest() {
    std::ofstream(folder_ / "in.h5") << "data";
    fs::create_directory(folder_ / "sub");
  }

  static std::optional<Error> refusal(const std::vector<NamedFile>& reads, const std::vector<NamedFile>& writes) {
    try {
      require_apart(reads, writes);
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }
  std::optional<Error> refusal(const std::string& written) const {
    return refusal({{"the input", folder_ / "in.h5"}}, {{"the output", written}});
  }

  TemporaryFolder folder_{};
};

TEST_F(NamedFilesTest, DifferentFilesAreApart) {
  EXPECT_FALSE(refusal(folder_ / "out.h5"));
  EXPECT_FALSE(refusal(folder_ / "sub/in.h5"));
  EXPECT_FALSE(refusal({{"the model", folder_ / "in.h5"}, {"the input", folder_ / "in.h5"}}, {{"the output", folder_ / "o"}}));
}

TEST_F(NamedFilesTest, AFileIsKnownUnderEveryName) {
  fs::create_hard_link(folder_ / "in.h5", folder_ / "hard.h5");
  fs::create_symlink("in.h5", folder_ / "link.h5");
  fs::create_symlink(folder_.path(), folder_ / "sub/up");
  for (const char* name : {"in.h5", "./in.h5", "sub/../in.h5", "hard.h5", "link.h5", "sub/up/in.h5", "sub/up/link.h5"}) {
    const auto error = refusal(folder_ / name);
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->code(), ExitCode::Usage);
    EXPECT_THAT(error->what(), HasSubstr("is the same file as the input"));
  }
}

TEST_F(NamedFilesTest, NewFilesAreComparedByFolderAndName) {
  fs::create_symlink(folder_.path(), folder_ / "sub/up");
  fs::create_symlink("sub/up/new", folder_ / "dangling");
  for (const char* name : {"new", "./new", "sub/../new", "sub/up/new", "dangling"})
    EXPECT_TRUE(refusal({}, {{"--report", folder_ / "new"}, {"--trace", folder_ / name}})) << name;
  EXPECT_FALSE(refusal({}, {{"--report", folder_ / "new"}, {"--trace", folder_ / "sub/new"}}));
}

TEST_F(NamedFilesTest, OnlyRegularFilesAreReplaced) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  for (const std::string& path : {folder_ / "pipe", folder_ / "sub", std::string("/dev/null")}) {
    const auto error = refusal(path);
    ASSERT_TRUE(error) << path;
    EXPECT_EQ(error->code(), ExitCode::CannotCreate);
  }
}

TEST_F(NamedFilesTest, LinksLeadToTheirTarget) {
  fs::create_symlink("sub/new", folder_ / "one");
  fs::create_symlink("one", folder_ / "two");
  fs::create_symlink("/nowhere/x", folder_ / "absolute");
  fs::create_symlink("cycle", folder_ / "cycle");
  EXPECT_EQ(link_target(folder_ / "two"), folder_ / "sub/new");
  EXPECT_EQ(link_target(folder_ / "absolute"), "/nowhere/x");
  EXPECT_EQ(link_target("plain"), "plain");
  EXPECT_THROW(link_target(folder_ / "cycle"), Error);
}

}  // namespace
}  // namespace parconv::test
