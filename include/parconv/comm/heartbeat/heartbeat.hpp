// SPDX-License-Identifier: Apache-2.0
// Heartbeats of the ranks of a job, beside MPI.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parconv/comm/control.hpp"
#include "parconv/comm/heartbeat/diagnosis.hpp"

namespace parconv {

/// The hosts of the ranks, and how they are reached.
struct HeartbeatHosts {
  /// Numbers from 0 in the order of their first ranks. Empty: those of Control::nodes.
  std::vector<int> host_of_rank{};
  /// The IPv4 address of each host, in the order of this machine's bytes. Empty: the first network that all hosts share, of the
  /// interfaces that MPI may use (OMPI_MCA_btl_tcp_if_include, or all but loopback).
  std::vector<std::uint32_t> addresses{};
};

/// Publishes this rank's pulse and observes those of the others, by a helper thread that calls no MPI and blocks all signals.
/// Ranks of one host share memory. Hosts exchange datagrams; in a job of one host no port is open. May be created before MPI and
/// destroyed after it. The thread that creates it is the one whose CPU time is published.
class Heartbeat {
 public:
  /// Called at most once, on the helper thread, when the process of another rank of this host has ended without notice.
  using OnDeath = std::function<void(int rank)>;

  explicit Heartbeat(OnDeath on_death = {});
  /// Publishes the end of this rank.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  RankPulse& pulse();

  /// Starts the exchange with the ranks of `control`. Collective, once.
  void connect(Control& control, const HeartbeatHosts& hosts = {});
  /// The reason why pulses of other hosts, or of all ranks, do not arrive; empty if they do. Equal on all ranks.
  const std::string& note() const;

  /// Names the rank that the others wait for; none before connect. Local, any thread.
  Diagnosis diagnose() const;
  /// The last known pulse of a rank. Local, any thread.
  Pulse pulse_of(int rank) const;
  /// True if this rank waits, all others live, and one that does not wait has got on within `seconds`. Local, any thread.
  bool waits_for_progress(double seconds) const;
  /// A rank of this host that has ended without notice, if the processes are looked at now. Local, any thread.
  std::optional<int> find_death() const;
  /// True if another rank of this host has ended on purpose in a phase before `last_phase`, hence has reported an error or left
  /// that to another. Local, any thread.
  bool others_have_reported(int last_phase) const;

  /// Publishes the end of this rank. The first rank of a host does so when the processes of its other ranks, as far as they are
  /// visible, have ended: until then it can name one that does not. Local, after the last communication; the caller has a
  /// deadline.
  void leave();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parconv
