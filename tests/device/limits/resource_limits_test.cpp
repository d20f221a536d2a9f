// SPDX-License-Identifier: Apache-2.0
// The limits of this process, as the kernel has them.
#include "parconv/device/resource_limits.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>

namespace parconv::test {
namespace {

const MemoryLimit* find(const std::vector<MemoryLimit>& limits, const std::string& name) {
  for (const MemoryLimit& limit : limits)
    if (limit.name == name) return &limit;
  return nullptr;
}

TEST(ResourceLimits, TheHostHasFreeMemory) {
  const std::vector<MemoryLimit> limits = memory_limits();
  const MemoryLimit* const host = find(limits, "the host");
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->scope, LimitScope::Host);
  EXPECT_GT(host->free_bytes, 0);
  EXPECT_LE(host->free_bytes, host->total_bytes);
  for (const MemoryLimit& limit : limits) EXPECT_GE(limit.free_bytes, 0) << limit.name;
}

TEST(ResourceLimits, ALimitOfTheProcessLessWhatItHas) {
  constexpr index_t total = index_t{1} << 42;
  const rlimit one{.rlim_cur = static_cast<rlim_t>(total), .rlim_max = RLIM_INFINITY};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  if (before.rlim_max != RLIM_INFINITY) GTEST_SKIP() << "ulimit -v cannot be raised";
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &one), 0);
  const std::vector<MemoryLimit> limits = memory_limits();
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  const MemoryLimit* const limit = find(limits, "ulimit -v");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->scope, LimitScope::Process);
  EXPECT_EQ(limit->total_bytes, total);
  EXPECT_LT(limit->free_bytes, total);
  EXPECT_GT(limit->free_bytes, total / 2);
}

TEST(ResourceLimits, ResidentMemoryGrowsByWhatIsWritten) {
  constexpr std::size_t size = std::size_t{64} << 20;
  const index_t before = resident_bytes();
  const std::vector<char> memory(size, 1);
  const index_t grown = resident_bytes() - before;
  EXPECT_GE(grown, static_cast<index_t>(size / 10 * 9)) << static_cast<int>(memory.back());
}

TEST(ResourceLimits, FreedHeapIsReturned) {
  constexpr std::size_t count = 1 << 16, size = 1024;  // below the size of separate mappings
  std::vector<std::vector<char>> blocks(count);
  for (auto& block : blocks) block.assign(size, 1);
  const index_t full = resident_bytes();
  for (auto& block : blocks) std::vector<char>().swap(block);
  release_free_heap();
  EXPECT_LT(resident_bytes(), full - static_cast<index_t>(count * size / 2));
}

TEST(ResourceLimits, ErrorsNameTheLimit) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  const auto error = limit_error("cannot open x", EMFILE);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::OutOfMemory);
  EXPECT_NE(std::string(error->what()).find("cannot open x: "), std::string::npos) << error->what();
  EXPECT_NE(std::string(error->what()).find(std::to_string(files.rlim_cur) + " files open (ulimit -n)"), std::string::npos)
      << error->what();
  EXPECT_TRUE(limit_error("x", ENFILE));
  EXPECT_TRUE(limit_error("x", ENOMEM));
  EXPECT_FALSE(limit_error("x", ENOENT));
  EXPECT_FALSE(limit_error("x", EACCES));
  EXPECT_NE(std::string(thread_error("x").what()).find("ulimit -u"), std::string::npos);
}

TEST(ResourceLimits, FilesThatCannotBeOpenedAreAnError) {
  require_open_files(4);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 40, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::string message;
  try {
    require_open_files(40);
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_NO_THROW(require_open_files(4)) << "those of the trial are closed";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NE(message.find("the process may have 40 files open (ulimit -n)"), std::string::npos) << message;
}

TEST(ResourceLimits, ThreadsCanBeStarted) {
  require_threads(0);
  require_threads(8);
}

/// Stacks of threads are address space.
TEST(ResourceLimits, ThreadsThatCannotBeStartedAreAnError) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  const rlimit little{.rlim_cur = rlim_t{64} << 20, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &little), 0);
  bool has_failed = false;
  try {
    require_threads(1000);
  } catch (const Error& error) {
    has_failed = error.code() == ExitCode::OutOfMemory;
  }
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_TRUE(has_failed);
#endif
}

}  // namespace
}  // namespace parconv::test
