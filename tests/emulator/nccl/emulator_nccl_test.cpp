// SPDX-License-Identifier: Apache-2.0
// The emulated NCCL: two ranks in one process.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>
#include <nccl.h>
#include <poll.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

namespace {

/// A rank with a GPU, a stream, and 8 bytes each to send and to receive.
class Rank {
 public:
  Rank(const ncclUniqueId& id, int rank, int gpu) : rank_(rank) {
    EXPECT_EQ(cudaSetDevice(gpu), cudaSuccess);
    EXPECT_EQ(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, 0), cudaSuccess);
    EXPECT_EQ(cudaMalloc(&bytes_, 16), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(bytes_, 0, 16, stream_), cudaSuccess);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    EXPECT_EQ(ncclCommInitRankConfig(&comm_, 2, id, rank, &config), ncclInProgress);
  }
  ~Rank() {
    abort();
    cudaStreamDestroy(stream_);
    cudaFree(bytes_);
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;

  ncclResult_t state() const {
    ncclResult_t state = ncclSuccess;
    EXPECT_EQ(ncclCommGetAsyncError(comm_, &state), ncclSuccess);
    return state;
  }
  ncclResult_t settled() const {
    while (state() == ncclInProgress) std::this_thread::yield();
    return state();
  }

  ncclResult_t send(std::size_t count) { return ncclSend(bytes_, count, ncclUint8, 1 - rank_, comm_, stream_); }
  ncclResult_t receive(std::size_t count) {
    return ncclRecv(static_cast<char*>(bytes_) + 8, count, ncclUint8, 1 - rank_, comm_, stream_);
  }
  ncclResult_t in_group(const std::function<void(Rank&)>& messages) {
    EXPECT_EQ(ncclGroupStart(), ncclSuccess);
    messages(*this);
    return ncclGroupEnd();
  }

  bool is_idle_within(int milliseconds) const {
    for (int spent = 0; spent < milliseconds; ++spent) {
      if (cudaStreamQuery(stream_) == cudaSuccess) return true;
      ::poll(nullptr, 0, 1);
    }
    return false;
  }
  void set(int value) { EXPECT_EQ(cudaMemsetAsync(bytes_, value, 8, stream_), cudaSuccess); }
  int received() const {
    unsigned char byte = 0;
    EXPECT_EQ(cudaMemcpy(&byte, static_cast<char*>(bytes_) + 8, 1, cudaMemcpyDeviceToHost), cudaSuccess);
    return byte;
  }
  void abort() {
    if (comm_ != nullptr) ncclCommAbort(comm_);
    comm_ = nullptr;
  }

 private:
  int rank_;
  cudaStream_t stream_ = nullptr;
  void* bytes_ = nullptr;
  ncclComm_t comm_ = nullptr;
};

ncclUniqueId new_id() {
  ncclUniqueId id{};
  EXPECT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  return id;
}

TEST(EmulatorNccl, SendsBothWaysInOneGroup) {
  const ncclUniqueId id = new_id();
  Rank first(id, 0, 0);
  EXPECT_EQ(first.state(), ncclInProgress) << "the other rank has not joined";
  EXPECT_EQ(first.in_group([](Rank& rank) { EXPECT_EQ(rank.send(8), ncclInvalidArgument) << "not settled"; }), ncclSuccess);
  Rank second(id, 1, 1);
  EXPECT_EQ(first.settled(), ncclSuccess);
  EXPECT_EQ(second.settled(), ncclSuccess);
  for (Rank* rank : {&first, &second}) {
    cudaSetDevice(rank == &first ? 0 : 1);
    rank->set(rank == &first ? 3 : 4);
    EXPECT_EQ(rank->in_group([](Rank& each) {
      EXPECT_EQ(each.receive(8), ncclSuccess);
      EXPECT_EQ(each.send(8), ncclSuccess);
    }),
              ncclInProgress);
    EXPECT_EQ(rank->settled(), ncclSuccess);
  }
  EXPECT_TRUE(first.is_idle_within(2000) && second.is_idle_within(2000));
  EXPECT_EQ(first.received(), 4);
  EXPECT_EQ(second.received(), 3);
}

/// Whether NCCL buffers sends is unspecified, so a rank that relies on it may deadlock.
TEST(EmulatorNccl, ASendCompletesWhenReceived) {
  const ncclUniqueId id = new_id();
  Rank first(id, 0, 0), second(id, 1, 1);
  EXPECT_EQ(first.settled(), ncclSuccess);
  EXPECT_EQ(second.settled(), ncclSuccess);
  EXPECT_EQ(first.in_group([](Rank& rank) { rank.send(8); }), ncclInProgress);
  EXPECT_EQ(first.settled(), ncclSuccess);
  EXPECT_FALSE(first.is_idle_within(30));
  EXPECT_EQ(second.in_group([](Rank& rank) { rank.receive(8); }), ncclInProgress);
  EXPECT_TRUE(first.is_idle_within(2000));
}

TEST(EmulatorNccl, RefusesTwoRanksOnOneGpuOfAHost) {
  const ncclUniqueId id = new_id();
  Rank first(id, 0, 1), second(id, 1, 1);
  EXPECT_EQ(first.settled(), ncclInvalidUsage);
  EXPECT_NE(std::string(ncclGetLastError(nullptr)).find("Duplicate GPU detected"), std::string::npos);
}

TEST(EmulatorNccl, TakesTwoRanksOnOneGpuOfDifferentHosts) {
  const ncclUniqueId id = new_id();
  ::setenv("NCCL_HOSTID", "one", 1);
  Rank first(id, 0, 1);
  ::setenv("NCCL_HOSTID", "two", 1);
  Rank second(id, 1, 1);
  ::unsetenv("NCCL_HOSTID");
  EXPECT_EQ(first.settled(), ncclSuccess);
  EXPECT_EQ(second.settled(), ncclSuccess);
}

TEST(EmulatorNccl, ALostRankIsReportedAndBlocksTheStreamUntilAbort) {
  const ncclUniqueId id = new_id();
  Rank first(id, 0, 0), second(id, 1, 1);
  EXPECT_EQ(first.settled(), ncclSuccess);
  EXPECT_EQ(second.settled(), ncclSuccess);
  EXPECT_EQ(first.in_group([](Rank& rank) { rank.receive(8); }), ncclInProgress);
  EXPECT_EQ(first.settled(), ncclSuccess);
  second.abort();
  while (first.state() == ncclSuccess) std::this_thread::yield();
  EXPECT_EQ(first.state(), ncclRemoteError);
  EXPECT_FALSE(first.is_idle_within(30));
  first.abort();
  EXPECT_TRUE(first.is_idle_within(2000));
}

void send_and_receive_unlike_sizes() {
  const ncclUniqueId id = new_id();
  Rank first(id, 0, 0), second(id, 1, 1);
  first.settled();
  second.settled();
  first.in_group([](Rank& rank) { rank.send(8); });
  second.in_group([](Rank& rank) { rank.receive(4); });
  first.settled();
  second.settled();
  first.is_idle_within(2000);
}

TEST(EmulatorNcclDeathTest, SizesMustMatch) { EXPECT_DEATH(send_and_receive_unlike_sizes(), "a receive of another size"); }

}  // namespace
