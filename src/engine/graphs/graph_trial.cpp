// SPDX-License-Identifier: Apache-2.0
#include "engine/graphs/graph_trial.hpp"

#include <algorithm>

namespace parconv {

GraphTrial::Task GraphTrial::task() const {
  switch (state_) {
    case State::Before:
      return ticks_ < (use_ == GraphUse::On ? period_ : period_ + timed_ticks) ? Task::Direct : Task::Capture;
    case State::Trying:
      return ticks_ < timed_ticks ? Task::Launch : Task::Judge;
    case State::Kept:
      return Task::Launch;
    case State::Refused:
      break;
  }
  return Task::Direct;
}

void GraphTrial::set_captured(bool is_captured) {
  if (!is_captured) return enter(State::Refused);
  enter(use_ == GraphUse::On ? State::Kept : State::Trying);
}

void GraphTrial::judge(double direct_seconds, double graph_seconds) {
  enter(graph_seconds < largest_fraction * direct_seconds ? State::Kept : State::Refused);
}

void GraphTrial::add_time(index_t number, TickWay way, double seconds) {
  const bool is_wanted = state_ == State::Before || state_ == State::Trying;
  if (use_ == GraphUse::Auto && is_wanted && number >= period_) (way == TickWay::Graph ? graph_ : direct_).push_back(seconds);
}

double GraphTrial::median_seconds(TickWay way) const {
  std::vector<double> seconds = way == TickWay::Graph ? graph_ : direct_;
  if (seconds.empty()) return 0;
  const auto middle = seconds.begin() + std::ssize(seconds) / 2;
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

void GraphTrial::enter(State state) {
  state_ = state;
  ticks_ = 0;
}

}  // namespace parconv
