// SPDX-License-Identifier: Apache-2.0
// How long each rank has been silent, still or idle.
#pragma once

#include <span>
#include <vector>

#include "parconv/comm/heartbeat/diagnosis.hpp"

namespace parconv {

/// Compares pulses with those of the look before. Its clock is that of the caller, who leaves out the time in which it was itself
/// stopped.
class Observer {
 public:
  /// Ranks without a beat for `silence_seconds` are silent.
  Observer(std::size_t num_ranks, double silence_seconds) : silence_seconds_(silence_seconds), ranks_(num_ranks) {}

  /// Takes the pulses in, `seconds` after the look before.
  void look(std::span<const PulseCell> cells, double seconds);

  std::vector<RankView> views() const;

 private:
  struct Rank {
    RankView view{};
    index_t busy_ms_before = 0;  ///< when it was last seen computing
    double idle_seconds = 0;
  };

  void look(const Pulse& pulse, double seconds, Rank& rank) const;

  double silence_seconds_;
  std::vector<Rank> ranks_;
};

}  // namespace parconv
