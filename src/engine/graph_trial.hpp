// Whether ticks are launched as graphs: tried in the first steady ticks, kept if it gains enough.
#pragma once

#include <vector>

#include "parconv/core/types.hpp"
#include "parconv/engine/engine.hpp"

namespace parconv {

/// How a tick's work reaches the device.
enum class TickWay { Direct, Graph };

/// Says for each steady tick what is to be done, by its number and by what was agreed alone, so that all ranks that agree do the
/// same in the same tick. Pure: knows no device and no ranks.
///
///   Auto: `period` ticks to warm up, `timed_ticks` directly, Capture, `timed_ticks` as graphs, Judge, then as judged
///   On:   `period` ticks to warm up, Capture, then as graphs
class GraphTrial {
 public:
  static constexpr index_t timed_ticks = 8;
  /// Graphs have to take less than this share of the direct time.
  static constexpr double largest_share = 0.98;

  /// What the next steady tick does; or what has to be done before, by all ranks together.
  enum class Task { Direct, Launch, Capture, Judge };

  /// Precondition: `use` is not Off.
  GraphTrial(GraphUse use, index_t period) : use_(use), period_(period) {}

  Task task() const;
  /// After Task::Capture: whether all ranks have captured.
  void set_captured(bool is_captured);
  /// After Task::Judge: the slowest rank's medians.
  void judge(double direct_seconds, double graph_seconds);
  /// A steady tick begins.
  void count_tick() {
    ++ticks_;
    ++number_;
  }

  /// Steady tick `number` took so long, measured behind another one of the same way. Those that warm up do not count.
  void add_time(index_t number, TickWay way, double seconds);
  /// Of the next steady tick.
  index_t number() const { return number_; }
  /// 0 without times.
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
