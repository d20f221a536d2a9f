// SPDX-License-Identifier: Apache-2.0
// The memory check of GPUs: literal rows.
#include "parconv/session/devices/gpu_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

using testing::HasSubstr;

RankOffer offer(const std::string& host, const std::string& uuid) {
  return {.host = host, .gpu_name = "H200", .gpu_pci_id = "0000:17:00.0", .gpu_uuid = uuid};
}

/// The error message if `rank` does not fit; empty if it does.
std::optional<Error> problem(const std::vector<RankOffer>& offers, const std::vector<MemoryNeed>& needs, int rank,
                             std::size_t free_bytes) {
  try {
    require_memory(offers, needs, rank, {.free_bytes = free_bytes, .total_bytes = 4096});
  } catch (const Error& error) {
    return error;
  }
  return {};
}

const std::vector<RankOffer> alone{offer("a", "1")};
/// Ranks 0, 2 and 4 share a GPU; ranks 1 and 3 have exclusive ones. The GPU of rank 3 has the same number on another host.
const std::vector<RankOffer> shared{offer("a", "1"), offer("a", "2"), offer("a", "1"), offer("b", "1"), offer("a", "1")};

TEST(GpuMemory, ExactlyEnoughIsEnough) {
  const std::vector<MemoryNeed> needs{{.data_bytes = 1000, .weight_bytes = 24}};
  EXPECT_FALSE(problem(alone, needs, 0, 1024));
  EXPECT_FALSE(problem(alone, needs, 0, 4096));
  EXPECT_TRUE(problem(alone, needs, 0, 1023));
  EXPECT_FALSE(problem(alone, {{}}, 0, 0)) << "a rank that computes nothing";
}

/// Stages need different amounts: three times the need of one of them would be wrong in both directions.
TEST(GpuMemory, RanksOnOneGpuCountWithTheirOwnNeed) {
  const std::vector<MemoryNeed> needs{{.data_bytes = 100, .weight_bytes = 10},
                                      {.data_bytes = 900, .weight_bytes = 0},
                                      {.data_bytes = 20, .weight_bytes = 300},
                                      {.data_bytes = 1, .weight_bytes = 1},
                                      {.data_bytes = 70, .weight_bytes = 0}};
  for (const int rank : {0, 2, 4}) {
    SCOPED_TRACE(rank);
    EXPECT_FALSE(problem(shared, needs, rank, 500));
    EXPECT_TRUE(problem(shared, needs, rank, 499)) << "one byte short";
  }
  EXPECT_FALSE(problem(shared, needs, 1, 900));
  EXPECT_TRUE(problem(shared, needs, 1, 899));
  EXPECT_FALSE(problem(shared, needs, 3, 2)) << "a GPU of another host is another GPU";
}

TEST(GpuMemory, TheBytesAreReported) {
  const std::vector<MemoryNeed> needs{
      {.data_bytes = 2048, .weight_bytes = 1024}, {}, {.data_bytes = 3072}, {}, {.data_bytes = 512}};
  const auto error = problem(shared, needs, 0, 1024);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::OutOfMemory);
  EXPECT_STREQ(
      error->what(),
      "rank 0 needs at least 2.0 KiB for data and 1.0 KiB for weights; ranks 2,4 on the same GPU need 3.5 KiB; 1.0 KiB of "
      "4.0 KiB are free on H200");
  EXPECT_THAT(error->hint(), HasSubstr("--micro-batch"));
  EXPECT_THAT(problem(alone, {{.data_bytes = 2048}}, 0, 1024)->what(), testing::Not(HasSubstr("same GPU")));
}

TEST(Workspace, IsBoundedByTheKindOfGpu) {
  constexpr std::size_t gib = std::size_t{1} << 30;
  EXPECT_EQ(most_workspace_bytes(139 * gib, 1), gib);
  EXPECT_EQ(most_workspace_bytes(139 * gib, 8), gib);
  EXPECT_EQ(most_workspace_bytes(16 * gib, 1), gib);
  EXPECT_EQ(most_workspace_bytes(16 * gib - 1, 1), gib / 2) << "a power of two";
  EXPECT_EQ(most_workspace_bytes(24 * gib, 2), gib / 2);
  EXPECT_EQ(most_workspace_bytes(8 * gib, 4), gib / 8);
  EXPECT_EQ(most_workspace_bytes(15, 1), 0U);
}

}  // namespace
}  // namespace parconv::test
