// SPDX-License-Identifier: Apache-2.0
// Messages over MPI between memories that only devices can access.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "comm/device_post.hpp"
#include "parconv/comm/counting_communicator.hpp"
#include "parconv/comm/device_communicators.hpp"
#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "support/fakes/fake_device.hpp"

namespace parconv::test {
namespace {

std::unique_ptr<Communicator> make_staged(Device& device) {
  return make_staged_communicator(make_mpi_communicator(control()), device);
}

TEST(StagedCommunicator, DeliversRandomLettersRepeatedly) {
  FakeDevice device;
  const auto communicator = make_staged(device);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    DevicePost post(*communicator, device, static_cast<int>(seed), random_letters(random));
    for (int round = 0; round < 4; ++round) {
      post.start(round);
      communicator->progress();
      post.finish();
      post.expect_arrived(round);
    }
  }
}

TEST(StagedCommunicator, SeparatesConcurrentExchanges) {
  FakeDevice device;
  const auto communicator = make_staged(device);
  Random random(3);
  std::vector<DevicePost> posts;
  posts.reserve(6);
  for (int k = 0; k < 6; ++k) posts.emplace_back(*communicator, device, k % 2, random_letters(random));
  for (int round = 0; round < 3; ++round) {
    for (DevicePost& post : posts) post.start(round);
    for (std::size_t k = posts.size(); k-- > 0;) posts[k].finish();
    for (DevicePost& post : posts) post.expect_arrived(round);
  }
}

TEST(StagedCommunicator, SendsDuringPoll) {
  FakeDevice device;
  const auto communicator = make_staged(device);
  const int next = (rank() + 1) % num_ranks();
  const int last = (rank() + num_ranks() - 1) % num_ranks();
  DeviceBytes sent = device.allocate(8);
  DeviceBytes received = device.allocate(8);
  const SendMessage send{next, sent.data(), 8};
  const ReceiveMessage receive{last, received.data(), 8};
  const auto exchange = communicator->prepare(0, {&send, 1}, {&receive, 1});
  exchange->start();
  if (rank() == 0) {
    exchange->finish();  // the others only poll
  } else {
    while (!exchange->test()) communicator->poll();
  }
  communicator->barrier();
}

TEST(StagedCommunicator, FinishDoesNotWaitForTheDevice) {
  FakeDevice device;
  const auto communicator = make_staged(device);
  DevicePost post(*communicator, device, 0, {{.from = 0, .to = num_ranks() - 1, .size_bytes = 100}});
  post.start(0);
  const std::uint64_t done_before = device.done(DeviceStream::Compute);
  post.finish();
  const bool receives = rank() == num_ranks() - 1 && num_ranks() > 1;
  EXPECT_TRUE(!receives || device.done(DeviceStream::Compute) == done_before);
  post.expect_arrived(0);
}

TEST(StagedCommunicator, WorksWithACountingCommunicator) {
  FakeDevice device;
  CountingCommunicator communicator(make_staged(device));
  DevicePost post(communicator, device, 5, {{.from = 0, .to = num_ranks() - 1, .size_bytes = 100}});
  post.start(0);
  post.finish();
  post.expect_arrived(0);
  const bool sends = rank() == 0 && num_ranks() > 1;
  EXPECT_EQ(communicator.by_order().at(5).bytes_sent, sends ? 100 : 0);
}

}  // namespace
}  // namespace parconv::test
