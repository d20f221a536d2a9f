// SPDX-License-Identifier: Apache-2.0
// Heartbeats of real ranks: of one host, and of two hosts that are addresses of the loopback network.
#include "parconv/comm/heartbeat/heartbeat.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "support/mpi_test.hpp"

namespace parconv::test {
namespace {

using std::chrono::milliseconds;

/// Waits for at most 10 s.
template <class Holds>
bool soon(Holds&& holds) {
  for (int look = 0; look < 1000; ++look) {
    if (holds()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

/// Half of the ranks on each of two hosts.
HeartbeatHosts two_hosts() {
  HeartbeatHosts hosts{.host_of_rank = {}, .addresses = {0x7f000001, 0x7f000002}};
  for (int r = 0; r < num_ranks(); ++r) hosts.host_of_rank.push_back(2 * r < num_ranks() ? 0 : 1);
  return hosts;
}

/// UDP sockets of all processes of this network namespace on 127.0.0.0/8.
int loopback_ports() {
  std::ifstream in("/proc/net/udp");
  int count = 0;
  for (std::string line; std::getline(in, line);)
    if (line.find("00007F:") != std::string::npos) ++count;
  return count;
}

void expect_pulses_arrive(Heartbeat& heartbeat, Control& group) {
  heartbeat.pulse().enter(5);
  heartbeat.pulse().at_layer(group.rank(), 40);
  for (int r = 0; r < group.size(); ++r) {
    EXPECT_TRUE(soon([&] { return heartbeat.pulse_of(r).node == r && heartbeat.pulse_of(r).phase == 5; })) << "rank " << r;
    const index_t beats = heartbeat.pulse_of(r).beats;
    EXPECT_TRUE(soon([&] { return heartbeat.pulse_of(r).beats > beats; })) << "rank " << r;
  }
  group.barrier();
}

/// One rank works, all others wait: all name it.
void expect_all_name(Heartbeat& heartbeat, Control& group, int culprit) {
  heartbeat.pulse().set(group.rank() == culprit ? Activity::Working : Activity::Waiting);
  EXPECT_TRUE(soon([&] { return heartbeat.diagnose().rank == culprit; })) << "rank " << culprit;
  EXPECT_EQ(heartbeat.diagnose().symptom, Symptom::Busy);
  group.barrier();
}

TEST(Heartbeat, PulsesArriveOnOneHost) {
  Control group = control().split(0);
  Heartbeat heartbeat;
  EXPECT_EQ(heartbeat.diagnose(), Diagnosis{}) << "not connected";
  heartbeat.connect(group);
  EXPECT_EQ(heartbeat.note(), "");
  expect_pulses_arrive(heartbeat, group);
  for (int r = 0; r < group.size(); ++r) expect_all_name(heartbeat, group, r);
  EXPECT_FALSE(heartbeat.find_death());
}

TEST(Heartbeat, PulsesArriveOnTwoHosts) {
  if (num_ranks() < 2) GTEST_SKIP() << "two hosts have two ranks";
  Control group = control().split(0);
  Heartbeat heartbeat;
  heartbeat.connect(group, two_hosts());
  EXPECT_EQ(heartbeat.note(), "");
  expect_pulses_arrive(heartbeat, group);
  for (int r = 0; r < group.size(); ++r) expect_all_name(heartbeat, group, r);
}

TEST(Heartbeat, WithoutANetworkThereIsANote) {
  if (num_ranks() < 2) GTEST_SKIP() << "two hosts have two ranks";
  Control group = control().split(0);
  Heartbeat heartbeat;
  HeartbeatHosts hosts = two_hosts();
  hosts.addresses = {0xc0000201, 0xc0000202};  // 192.0.2.1 and 2, of no host (RFC 5737)
  heartbeat.connect(group, hosts);
  EXPECT_NE(heartbeat.note(), "");
  EXPECT_TRUE(soon([&] { return heartbeat.pulse_of(group.rank()).beats > 0; }));
}

TEST(Heartbeat, AWaitingRankIsExcusedWhileAnotherGetsOn) {
  if (num_ranks() < 2) GTEST_SKIP() << "needs another rank";
  Control group = control().split(0);
  Heartbeat heartbeat;
  heartbeat.connect(group);
  const bool works = group.rank() == 0;
  heartbeat.pulse().set(works ? Activity::Working : Activity::Waiting);
  group.barrier();
  for (int k = 0; k < 60; ++k) {
    if (works && k < 30) heartbeat.pulse().count_progress();
    std::this_thread::sleep_for(milliseconds(20));
    if (k == 20) {
      EXPECT_EQ(heartbeat.waits_for_progress(10), !works);
    }
  }
  EXPECT_FALSE(heartbeat.waits_for_progress(0.2)) << "rank 0 has stood still for 0.6 s";
  group.barrier();
}

TEST(Heartbeat, PublishesTheWaitsOfAGroup) {
  Control group = control().split(0);
  RankPulse pulse;
  group.publish(&pulse);
  group.barrier();
  static_cast<void>(group.max(1));
  EXPECT_EQ(pulse.load().meetings, 2);
  EXPECT_EQ(pulse.activity(), Activity::Working);
  Control part = group.split(0);
  const index_t before = pulse.load().meetings;
  part.barrier();
  EXPECT_EQ(pulse.load().meetings, before + 1);
}

TEST(Heartbeat, OpensPortsOnlyForSeveralHosts) {
  Control group = control().split(0);
  group.barrier();
  const int before = loopback_ports();
  Heartbeat heartbeat;
  heartbeat.connect(group);
  EXPECT_LE(loopback_ports(), before);
  group.barrier();
}

}  // namespace
}  // namespace parconv::test
