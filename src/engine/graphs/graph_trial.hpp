// SPDX-License-Identifier: Apache-2.0
// Decides whether ticks are launched as graphs: tried in the first steady ticks, kept if fast enough.
#pragma once

#include <vector>

#include "parconv/core/types.hpp"
#include "parconv/engine/engine.hpp"

namespace parconv {

/// How the work of a tick is launched.
enum class TickWay { Direct, Graph };

/// The task of each steady tick, which depends only on the tick number and on agreed results. So all ranks perform the same
/// task in the same tick. Pure: uses no device and no communication.
///
///   Auto: `period` ticks to warm up, `timed_ticks` directly, Capture, `timed_ticks` as graphs, Judge, then as judged
///   On:   `period` ticks to warm up, Capture, then as graphs
class GraphTrial {
 public:
  static constexpr index_t timed_ticks = 8;
  /// Graphs are kept below this fraction of the direct time.
  static constexpr double largest_fraction = 0.98;

  /// The next steady tick (Direct, Launch), or a collective task before it (Capture, Judge).
  enum class Task { Direct, Launch, Capture, Judge };

  /// Precondition: `use` is not Off.
  GraphTrial(GraphUse use, index_t period) : use_(use), period_(period) {}

  Task task() const;
  /// The result of Task::Capture: whether all ranks have captured.
  void set_captured(bool is_captured);
  /// The result of Task::Judge: the medians of the slowest rank.
  void judge(double direct_seconds, double graph_seconds);
  /// Called when a steady tick begins.
  void count_tick() {
    ++ticks_;
    ++number_;
  }

  /// Records the time of steady tick `number`, which followed one launched in the same way. Warm-up ticks are ignored.
  void add_time(index_t number, TickWay way, double seconds);
  /// The number of the next steady tick.
  index_t number() const { return number_; }
  /// The median of the recorded times; 0 if there are none.
  double median_seconds(TickWay way) const;

  bool is_kept() const { return state_ == State::Kept; }

 private:
  enum class State { Before, Trying, Kept, Refused };

  GraphUse use_;
  index_t period_;
  void enter(State state);

  State state_ = State::Before;
  index_t ticks_ = 0;  // in this state
  index_t number_ = 0;
  std::vector<double> direct_{};
  std::vector<double> graph_{};
};

}  // namespace parconv
