// SPDX-License-Identifier: Apache-2.0
// Pulses between two hosts, which are two sockets of the loopback network.
#include "comm/heartbeat/host_link.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

namespace parconv {
namespace {

constexpr std::uint32_t loopback = 0x7f000001;
constexpr JobKey key{1, 2};

Pulse pulse(index_t beats) { return {.activity = Activity::Waiting, .phase = 3, .beats = beats}; }

/// A cell that nobody has written.
Pulse nothing() { return PulseCell().load(); }

class TwoHosts : public ::testing::Test {
 protected:
  void SetUp() override {
    first = HostLink::open(loopback);
    second = HostLink::open(loopback);
    ASSERT_TRUE(first && second);
  }

  /// Rank r is on host r modulo 2.
  void join(std::size_t ranks, const JobKey& key_of_second = key) {
    HostLink::Job job{.key = key, .hosts = {first->endpoint(), second->endpoint()}, .host_of_rank = {}, .own_host = 0};
    for (std::size_t rank = 0; rank < ranks; ++rank) job.host_of_rank.push_back(static_cast<int>(rank % 2));
    first->join(job);
    job.own_host = 1;
    job.key = key_of_second;
    second->join(job);
    sent = std::vector<PulseCell>(ranks);
    received = std::vector<PulseCell>(ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank) sent[rank].store(pulse(static_cast<index_t>(100 + rank)));
  }

  /// Looks for at most a second, since the kernel delivers on loopback at once.
  void receive_until(index_t beats_of_last, std::size_t last) {
    for (int look = 0; look < 100 && received[last].load().beats != beats_of_last; ++look) {
      second->receive(received);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  std::unique_ptr<HostLink> first{}, second{};
  std::vector<PulseCell> sent{}, received{};
};

TEST_F(TwoHosts, ExchangeThePulsesOfTheirRanks) {
  join(61);  // more than fit into two datagrams
  first->send(sent);
  receive_until(160, 60);
  for (std::size_t rank = 0; rank < 61; ++rank)
    EXPECT_EQ(received[rank].load(), rank % 2 == 0 ? pulse(static_cast<index_t>(100 + rank)) : nothing()) << rank;
}

TEST_F(TwoHosts, IgnoreOtherJobs) {
  join(2, {1, 3});
  first->send(sent);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  second->receive(received);
  EXPECT_EQ(received[0].load(), nothing());
}

TEST_F(TwoHosts, IgnoreSendersThatAreNoHostOfTheJob) {
  join(2);
  const auto stranger = HostLink::open(loopback);
  ASSERT_TRUE(stranger);
  stranger->join({.key = key, .hosts = {stranger->endpoint(), second->endpoint()}, .host_of_rank = {0, 1}, .own_host = 0});
  stranger->send(sent);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  second->receive(received);
  EXPECT_EQ(received[0].load(), nothing());
}

TEST_F(TwoHosts, IgnoreDatagramsOfOtherShapes) {
  join(2);
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(loopback);
  to.sin_port = htons(second->endpoint().port);
  for (const std::size_t size : {0U, 1U, 31U, 32U, 500U, 4000U}) {
    const std::vector<char> bytes(size, 'x');
    EXPECT_EQ(::sendto(socket, bytes.data(), size, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
              static_cast<ssize_t>(size));
  }
  ::close(socket);
  first->send(sent);
  receive_until(100, 0);
  EXPECT_EQ(received[0].load(), pulse(100)) << "those of the job arrive after them";
}

TEST_F(TwoHosts, SendRarelyInLargeJobs) {
  join(2);
  EXPECT_DOUBLE_EQ(first->period_seconds(), 0.25);
  std::vector<int> host_of_rank(60'000);
  for (std::size_t rank = 0; rank < host_of_rank.size(); ++rank) host_of_rank[rank] = static_cast<int>(rank / 60);
  const auto large = HostLink::open(loopback);
  ASSERT_TRUE(large);
  large->join({.key = key, .hosts = std::vector<Endpoint>(1000), .host_of_rank = host_of_rank, .own_host = 0});
  EXPECT_DOUBLE_EQ(large->period_seconds(), (5000 + 1000) / 400.0);
}

TEST(HostLink, FailsWithoutTheAddress) { EXPECT_FALSE(HostLink::open(0xc0000201)); }  // 192.0.2.1, of no host (RFC 5737)

}  // namespace
}  // namespace parconv
