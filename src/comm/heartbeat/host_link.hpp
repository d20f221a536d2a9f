// SPDX-License-Identifier: Apache-2.0
// Pulses between the hosts of a job, by datagrams.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "parconv/comm/heartbeat/pulse.hpp"

namespace parconv {

/// Tells the datagrams of this job from others. It keeps strays out, no attacker: it travels in the clear.
using JobKey = std::array<std::uint64_t, 2>;

/// An IPv4 address and a UDP port, in the order of the host.
struct Endpoint {
  std::uint32_t address = 0;
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// One host's socket, which sends the pulses of its ranks to all other hosts and takes in theirs. Local, never blocks.
class HostLink {
 public:
  /// Opens a socket at a port of `address` that the system chooses; null if that fails.
  static std::unique_ptr<HostLink> open(std::uint32_t address);
  ~HostLink();
  HostLink(const HostLink&) = delete;
  HostLink& operator=(const HostLink&) = delete;

  Endpoint endpoint() const { return endpoint_; }

  /// The hosts of the job in order, with this one at `own_host`; `host_of_rank` has the host of each rank.
  struct Job {
    JobKey key{};
    std::vector<Endpoint> hosts{};
    std::vector<int> host_of_rank{};
    int own_host = 0;
  };
  void join(Job job);

  /// Seconds between two sendings: a quarter, and more in large jobs, so that a host receives a few hundred datagrams a second.
  double period_seconds() const;
  /// Sends the cells of this host's ranks to all other hosts.
  void send(std::span<const PulseCell> cells) const;
  /// Stores the pulses that have arrived into the cells of their ranks.
  void receive(std::span<PulseCell> cells) const;

 private:
  HostLink(int socket, Endpoint endpoint) : socket_(socket), endpoint_(endpoint) {}
  void send_part(std::span<const PulseCell> cells, std::size_t first, std::size_t count) const;
  int host_at(const Endpoint& endpoint) const;

  int socket_;
  Endpoint endpoint_;
  Job job_{};
  std::vector<int> own_ranks_{};
};

}  // namespace parconv
