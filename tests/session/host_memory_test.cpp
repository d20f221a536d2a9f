// SPDX-License-Identifier: Apache-2.0
// The memory check of hosts: literal rows, and the need of programs against engines.
#include "parconv/session/devices/host_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/plan/split.hpp"
#include "session/devices/rank_memory_text.hpp"
#include "support/mpi_test.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

using testing::HasSubstr;

MemoryLimit host(index_t free_bytes) { return {.name = "the host", .id = "host", .total_bytes = 4096, .free_bytes = free_bytes}; }
MemoryLimit group(const std::string& id, index_t free_bytes) {
  return {.name = "the cgroup /" + id, .id = id, .total_bytes = 4096, .free_bytes = free_bytes};
}
MemoryLimit of_process(index_t free_bytes) {
  return {.name = "ulimit -v", .scope = LimitScope::Process, .id = "v", .total_bytes = 4096, .free_bytes = free_bytes};
}

std::optional<Error> problem(const std::vector<RankMemory>& ranks) {
  try {
    require_host_memory("node7", ranks);
  } catch (const Error& error) {
    return error;
  }
  return {};
}

TEST(HostMemory, ExactlyEnoughIsEnough) {
  const HostMemoryNeed need{.buffer_bytes = 700, .message_bytes = 100, .weight_bytes = 200, .file_bytes = 24};
  EXPECT_FALSE(problem({{.rank = 0, .need = need, .limits = {host(1024)}}}));
  EXPECT_TRUE(problem({{.rank = 0, .need = need, .limits = {host(1023)}}}));
  EXPECT_FALSE(problem({{.rank = 0, .need = need}})) << "no limit is known";
  EXPECT_FALSE(problem({{.rank = 0, .limits = {host(0)}}})) << "a rank that computes nothing";
}

/// Weights are read before files.
TEST(HostMemory, ReadingWeightsAndStagingFilesDoNotCoincide) {
  EXPECT_EQ((HostMemoryNeed{.weight_bytes = 10, .reading_bytes = 5, .file_bytes = 3}).total(), 15);
  EXPECT_EQ((HostMemoryNeed{.weight_bytes = 10, .reading_bytes = 3, .file_bytes = 5}).total(), 15);
}

TEST(HostMemory, RanksUnderOneLimitAreAddedUp) {
  const HostMemoryNeed need{.buffer_bytes = 100};
  EXPECT_FALSE(problem({{.rank = 0, .need = need, .limits = {host(200)}}, {.rank = 1, .need = need, .limits = {host(200)}}}));
  EXPECT_TRUE(problem({{.rank = 0, .need = need, .limits = {host(199)}}, {.rank = 1, .need = need, .limits = {host(199)}}}));
  // The largest of the values that ranks have read counts.
  EXPECT_FALSE(problem({{.rank = 0, .need = need, .limits = {host(199)}}, {.rank = 1, .need = need, .limits = {host(200)}}}));
}

TEST(HostMemory, RanksInGroupsOfTheirOwnAreNotAddedUp) {
  const HostMemoryNeed need{.buffer_bytes = 100};
  const auto rank = [&](int number, const std::string& id, index_t free_bytes) {
    return RankMemory{.rank = number, .need = need, .limits = {group(id, free_bytes), group("job", 200), host(4096)}};
  };
  EXPECT_FALSE(problem({rank(0, "task_0", 100), rank(1, "task_1", 100)}));
  EXPECT_TRUE(problem({rank(0, "task_0", 100), rank(1, "task_1", 99)}));
  EXPECT_TRUE(problem({rank(0, "task_0", 100), rank(1, "task_1", 100), rank(2, "task_2", 100)})) << "the group above has 200";
}

TEST(HostMemory, EveryProcessHasItsOwnUlimit) {
  const HostMemoryNeed need{.buffer_bytes = 100};
  EXPECT_FALSE(
      problem({{.rank = 0, .need = need, .limits = {of_process(100)}}, {.rank = 1, .need = need, .limits = {of_process(100)}}}));
  EXPECT_TRUE(
      problem({{.rank = 0, .need = need, .limits = {of_process(100)}}, {.rank = 1, .need = need, .limits = {of_process(99)}}}));
}

TEST(HostMemory, ErrorsStateNeedLimitAndRemedy) {
  const HostMemoryNeed need{.buffer_bytes = 3 << 20, .weight_bytes = 1 << 20};
  const RankMemory lacking{.need = need, .held_bytes = 1 << 20, .limits = {host(1 << 30), group("job_5", 5 << 20)}};
  std::vector<RankMemory> ranks{lacking, lacking};
  ranks[0].rank = 4;
  ranks[1].rank = 5;
  const auto error = problem(ranks);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::OutOfMemory);
  EXPECT_THAT(error->what(), HasSubstr("not enough memory on node7: ranks 4-5 need at least 8.0 MiB more than the 2.0 MiB"));
  EXPECT_THAT(error->what(), HasSubstr("buffers 6.0 MiB, weights 2.0 MiB"));
  EXPECT_THAT(error->what(), HasSubstr("the cgroup /job_5 leaves 5.0 MiB"));
  EXPECT_THAT(error->hint(), HasSubstr("--micro-batch"));
}

TEST(HostMemory, TextsAreReadBack) {
  const RankMemory memory{
      .rank = 3, .need = {1, 2, 3, 4, 5}, .held_bytes = 7, .limits = {of_process(8), group("a group: with blanks", 9), host(10)}};
  EXPECT_EQ(rank_memory_from(to_text(memory)), memory);
  EXPECT_EQ(rank_memory_from(to_text({})), RankMemory{});
}

// ---- The need of programs -----------------------------------------------------------------------------------------------

constexpr index_t channels = 64;

Network three_layers() {
  RandomNetworkBuilder builder(2, Weights::Reals);
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  ValueId value = builder.input(Extents{{2, channels, 1, 24, 20}});
  for (int k = 0; k < 3; ++k)
    value = builder.relu(builder.conv(value, {.oc = channels, .window = {{WindowAxis{}, three, three}}}));
  return fuse(builder.build({value}));
}

RankPlan plan_of(const Network& network, const std::string& split) {
  const Plan plan = make_plan(network, partitioner_of(parse_split(split, num_ranks(), 2)), num_ranks());
  return make_rank_plan(network, plan, {}, rank());
}

/// The bytes are known exactly but for padding to vectors and workspaces.
TEST(HostMemory, TheNeedIsThatOfTheEngine) {
  const Network network = three_layers();
  const auto backend = make_backend({.name = "cpu"});
  for (const char* axis : {"n", "h", "f", "c"}) {
    const std::string split = concat(axis, "=", num_ranks());
    SCOPED_TRACE(split);
    const RankPlan plan = plan_of(network, split);
    const HostMemoryNeed need = host_memory_need(plan, {.bytes_per_weight = bytes_per_weight(*backend, DType::F32)});
    const auto communicator = make_mpi_communicator(control());
    const Engine engine(plan.network, plan.program, *communicator, *backend, {.read_filter = make_filter_reader()});
    const MemoryUse use = engine.memory();
    EXPECT_EQ(need.buffer_bytes, use.arena_bytes);
    EXPECT_EQ(need.message_bytes, use.staging_bytes);
    EXPECT_LE(need.weight_bytes, use.weight_bytes);
    EXPECT_GE(need.weight_bytes, use.weight_bytes / 10 * 7);
    EXPECT_EQ(need.reading_bytes, need.weight_bytes / 3) << "the last filter is read when the others are packed";
  }
}

/// A filter that two layers share is packed once.
TEST(HostMemory, SharedFiltersCountOnce) {
  Network network = three_layers();
  RankPlan plan = plan_of(network, concat("n=", num_ranks()));
  const index_t apart = host_memory_need(plan, {}).weight_bytes;
  for (Node& node : plan.network.nodes) std::get<Conv>(node.op).filter = std::get<Conv>(plan.network.nodes.front().op).filter;
  EXPECT_EQ(host_memory_need(plan, {}).weight_bytes, apart / 3);
}

TEST(HostMemory, EveryJobThatRunsIsAccepted) {
  JobContext job(control().split(0));
  require_host_memory(job, {.buffer_bytes = 1 << 20});
}

TEST(HostMemory, AllRanksRefuseWhatOneLacks) {
  JobContext job(control().split(0));
  const bool is_last = rank() == num_ranks() - 1;
  try {
    require_host_memory(job, {.buffer_bytes = is_last ? index_t{1} << 50 : 0});
    FAIL() << "no host has a pebibyte";
  } catch (const JobError& error) {
    EXPECT_EQ(error.code(), ExitCode::OutOfMemory);
    EXPECT_THAT(error.what(), HasSubstr("buffers 1.0 PiB"));
  }
}

}  // namespace
}  // namespace parconv::test
