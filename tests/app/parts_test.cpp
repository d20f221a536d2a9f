// SPDX-License-Identifier: Apache-2.0
// Parts of parconv_app that need no job.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "parconv/core/error.hpp"
#include "sha256.hpp"

namespace parconv::app {
namespace {

std::string hash_of(const std::string& text) { return sha256(std::as_bytes(std::span(text))); }

// The examples of FIPS 180-4, and lengths around the padding's borders (from sha256sum).
TEST(Sha256, KnownHashes) {
  EXPECT_EQ(hash_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash_of(std::string(55, 'a')), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  EXPECT_EQ(hash_of(std::string(64, 'a')), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
  EXPECT_EQ(hash_of(std::string(1000, 'a')), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

// A million times "a" (FIPS 180-4) and a file longer than one block of reading: 2 MiB and 3 bytes of "a" (from sha256sum).
TEST(Sha256, FilesAreReadInBlocks) {
  EXPECT_EQ(hash_of(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::string path = testing::TempDir() + "sha256_test";
  std::ofstream(path, std::ios::binary) << std::string((std::size_t{2} << 20) + 3, 'a');
  EXPECT_EQ(sha256_of_file(path), "94444f79251aaf2956ac6d46ef04f4e1cb8aa188d97f21fecd00e068e2b235b2");
  std::remove(path.c_str());
}

TEST(Sha256, FilesThatCannotBeReadAreErrors) {
  const auto code_of = [](const std::string& path) {
    try {
      sha256_of_file(path);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::Ok;
  };
  EXPECT_EQ(code_of(testing::TempDir() + "no_such_file"), ExitCode::InputMissing);
  EXPECT_EQ(code_of(testing::TempDir()), ExitCode::Io);  // a folder can be opened, but not read
}

}  // namespace
}  // namespace parconv::app
