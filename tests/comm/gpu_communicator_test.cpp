// SPDX-License-Identifier: Apache-2.0
// Messages between GPUs, over NCCL and over MPI through pinned host memory.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "comm/device_post.hpp"
#include "parconv/comm/device_communicators.hpp"
#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "support/gpu_of_rank.hpp"

namespace parconv::test {
namespace {

class GpuCommunicator : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    PARCONV_NEEDS_GPU();
    device_ = make_gpu_of_rank();
    if (std::string(GetParam()) == "nccl") {
      separate_nccl_hosts();
      communicator_ = make_nccl_communicator(control(), *device_);
    } else {
      communicator_ = make_staged_communicator(make_mpi_communicator(control()), *device_);
    }
  }

  std::unique_ptr<Device> device_{};
  std::unique_ptr<Communicator> communicator_{};
};

TEST_P(GpuCommunicator, DeliversRandomLettersRepeatedly) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    DevicePost post(*communicator_, *device_, static_cast<int>(seed), random_letters(random));
    for (int round = 0; round < 3; ++round) {
      post.start(round);
      communicator_->progress();
      post.finish();
      post.expect_arrived(round);
    }
  }
}

TEST_P(GpuCommunicator, SeparatesConcurrentExchanges) {
  Random random(3);
  std::vector<DevicePost> posts;
  posts.reserve(6);
  for (int k = 0; k < 6; ++k) posts.emplace_back(*communicator_, *device_, k % 2, random_letters(random));
  for (int round = 0; round < 3; ++round) {
    for (DevicePost& post : posts) post.start(round);
    for (DevicePost& post : posts) post.finish();
    for (DevicePost& post : posts) post.expect_arrived(round);
  }
}

/// On a ring of two ranks both neighbours are the same rank: only the order distinguishes its messages.
TEST_P(GpuCommunicator, SeparatesTwoNeighboursOnOneRank) {
  const int next = (rank() + 1) % num_ranks();
  const int last = (rank() + num_ranks() - 1) % num_ranks();
  DeviceBytes memory = device_->allocate(4);
  DeviceBytes outside = device_->allocate(4, MemoryKind::Pinned);
  outside.data()[0] = static_cast<std::byte>(10 + rank());  // to the next
  outside.data()[1] = static_cast<std::byte>(20 + rank());  // to the previous
  const SendMessage sends[] = {{next, memory.data(), 1}, {last, memory.data() + 1, 1}};
  const ReceiveMessage receives[] = {{last, memory.data() + 2, 1}, {next, memory.data() + 3, 1}};
  const auto exchange = communicator_->prepare(0, sends, receives);
  device_->upload(bytes_view(std::as_const(outside).data(), 4), bytes_view(memory.data(), 4), DeviceStream::Compute);
  exchange->start();
  exchange->finish();
  device_->download(bytes_view(std::as_const(memory).data(), 4), bytes_view(outside.data(), 4), DeviceStream::Compute);
  device_->synchronize();
  EXPECT_EQ(outside.data()[2], static_cast<std::byte>(10 + last));
  EXPECT_EQ(outside.data()[3], static_cast<std::byte>(20 + next));
}

/// Sends a byte to the next rank of a ring and receives one from the previous rank.
TEST_P(GpuCommunicator, DeliversCapturedMessagesAtEveryLaunch) {
  const int next = (rank() + 1) % num_ranks();
  const int last = (rank() + num_ranks() - 1) % num_ranks();
  DeviceBytes memory = device_->allocate(2);
  DeviceBytes outside = device_->allocate(2, MemoryKind::Pinned);
  const SendMessage sends[] = {{next, memory.data(), 1}};
  const ReceiveMessage receives[] = {{last, memory.data() + 1, 1}};
  const auto exchange = communicator_->prepare(0, sends, receives);
  if (std::string(GetParam()) == "staged") {
    EXPECT_NE(communicator_->capture_problem(), "");
    return;
  }
  ASSERT_EQ(communicator_->capture_problem(), "");
  const auto graph = device_->capture([&] {
    exchange->capture_start();
    exchange->capture_finish();
  });
  for (int round = 0; round < 5; ++round) {
    outside.data()[0] = static_cast<std::byte>(10 * round + rank());
    device_->upload(bytes_view(std::as_const(outside).data(), 2), bytes_view(memory.data(), 2), DeviceStream::Compute);
    if (round == 2) {  // also starts the messages directly between launches
      exchange->start();
      exchange->finish();
    } else {
      graph->launch();
      exchange->note_launch();
    }
    device_->download(bytes_view(std::as_const(memory).data(), 2), bytes_view(outside.data(), 2), DeviceStream::Compute);
    device_->synchronize();
    EXPECT_EQ(outside.data()[1], static_cast<std::byte>(10 * round + last));
  }
}

INSTANTIATE_TEST_SUITE_P(All, GpuCommunicator, ::testing::Values("nccl", "staged"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace parconv::test
