// SPDX-License-Identifier: Apache-2.0
#include "comm/heartbeat/observer.hpp"

namespace parconv {
namespace {

/// A thread that polls uses all the time of a core that it gets, one that is blocked none.
constexpr index_t busy_step_ms = 20;
constexpr double idle_seconds_limit = 0.8;

bool has_moved(const Pulse& before, const Pulse& now) {
  return before.progress != now.progress || before.meetings != now.meetings || before.phase != now.phase || before.pid != now.pid;
}

}  // namespace

void Observer::look(const Pulse& pulse, double seconds, Rank& rank) const {
  RankView& view = rank.view;
  view.silent_seconds = pulse.beats != view.pulse.beats ? 0 : view.silent_seconds + seconds;
  view.is_silent = view.silent_seconds >= silence_seconds_;
  view.still_seconds = has_moved(view.pulse, pulse) ? 0 : view.still_seconds + seconds;
  rank.idle_seconds += seconds;
  if (pulse.busy_ms - rank.busy_ms_before >= busy_step_ms) {
    rank.busy_ms_before = pulse.busy_ms;
    rank.idle_seconds = 0;
  }
  view.is_idle = rank.idle_seconds >= idle_seconds_limit;
  view.pulse = pulse;
}

void Observer::look(std::span<const PulseCell> cells, double seconds) {
  for (std::size_t k = 0; k < ranks_.size(); ++k) look(cells[k].load(), seconds, ranks_[k]);
}

std::vector<RankView> Observer::views() const {
  std::vector<RankView> views;
  for (const Rank& rank : ranks_) views.push_back(rank.view);
  return views;
}

}  // namespace parconv
