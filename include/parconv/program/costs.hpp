// SPDX-License-Identifier: Apache-2.0
// The costs of programs: operations, bytes and memory, counted from their steps. Pure.
#pragma once

#include <span>
#include <vector>

#include "parconv/program/program.hpp"

namespace parconv {

/// Costs of a step, or the sum over several, per micro-batch.
struct Costs {
  /// Floating-point operations without the additions of partial sums. A layer's flops are those of the rank's whole work region:
  /// strips of an operator that moves elements may overlap in their inputs, so that their sum can be larger.
  double flops = 0;
  index_t weight_bytes = 0;   ///< 0 for a single step, since strips of a node share its weights; replicas on other ranks count
  index_t sent_messages = 0;  ///< to other ranks, counted at the Start
  index_t sent_bytes = 0;
  index_t received_messages = 0;  ///< from other ranks, counted at the Await
  index_t received_bytes = 0;
  index_t copied_bytes = 0;  ///< between buffers of one rank
  index_t loaded_bytes = 0;  ///< of network inputs, in their type in memory
  index_t stored_bytes = 0;  ///< of network outputs, in their type in memory

  Costs& operator+=(const Costs& other);
  friend bool operator==(const Costs&, const Costs&) = default;
};

/// Traffic of one rank with one peer, per micro-batch.
struct PeerCosts {
  int peer = 0;
  index_t sent_messages = 0;
  index_t sent_bytes = 0;
  index_t received_messages = 0;
  index_t received_bytes = 0;

  friend bool operator==(const PeerCosts&, const PeerCosts&) = default;
};

/// Costs of one rank's program.
struct RankCosts {
  int rank = 0;
  std::vector<Costs> layers{};     ///< of each node, then of storing the outputs
  std::vector<PeerCosts> peers{};  ///< ranks with messages in either direction, ascending
  index_t arena_bytes = 0;         ///< buffers, held during the whole run, constants included
  index_t constant_bytes = 0;      ///< loaded once per run

  Costs total() const;
  /// Buffers and weights, without the scratch memory of kernels.
  index_t memory_bytes() const { return arena_bytes + total().weight_bytes; }
  friend bool operator==(const RankCosts&, const RankCosts&) = default;
};

/// Sent bytes by destination.
struct HostTraffic {
  index_t inside_bytes = 0;   ///< to ranks of the same host
  index_t between_bytes = 0;  ///< to ranks of other hosts

  friend bool operator==(const HostTraffic&, const HostTraffic&) = default;
};

/// The costs of one step, without weights.
Costs costs_of_step(const Network& network, const Program& program, const Step& step);

/// The costs of one rank. `layout` is the one that `program` was compiled from.
RankCosts costs_of(const Network& network, const Layout& layout, const Program& program);

/// The costs of every rank, in the order of `programs`.
std::vector<RankCosts> costs_of_all(const Network& network, const Layout& layout, std::span<const Program> programs);

/// The costs of every node over all ranks, then those of storing the outputs.
std::vector<Costs> costs_by_layer(std::span<const RankCosts> ranks);

/// The sum of a list of costs.
Costs sum_of(std::span<const Costs> costs);

/// Sent bytes of `ranks` within and between hosts of `ranks_per_host` consecutive ranks each. Precondition: ranks_per_host >= 1.
/// Example: with 4 per host, a message from rank 3 to rank 4 goes between hosts.
HostTraffic host_traffic(std::span<const RankCosts> ranks, int ranks_per_host);

}  // namespace parconv
