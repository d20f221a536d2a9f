// SPDX-License-Identifier: Apache-2.0
// The steady ticks of a run as device graphs.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/graphs/graph_trial.hpp"
#include "engine/runners/device_program.hpp"
#include "engine/step_timer.hpp"
#include "engine/tick_clock.hpp"

namespace parconv {

/// Captures the work of a steady tick once per phase of the program's addresses, then launches the graph instead. In a steady
/// tick all stages of all ranks work, so a communication is captured on all its ranks or on none. The period is common to all
/// ranks, so all launch the same phase. A graph ends when all its messages are complete, even those that a direct tick would
/// await later.
class SteadyGraphs {
 public:
  /// References to its environment, which must outlive it.
  struct Parts {
    const Program& program;
    DeviceProgram& steps;
    Device& device;
    Communicator& communicator;
    DeviceStepTimer& timer;
    TickClock& clock;
  };
  /// The most graphs whose memory is justified.
  static constexpr index_t most_phases = 24;

  SteadyGraphs(const Parts& parts, GraphUse use, Control* control);

  /// Collective the first time.
  void begin_run(index_t micro_batches);
  /// Lowers the number of micro-batches of a run that ends early.
  void end_run_after(index_t micro_batches) { micro_batches_ = micro_batches; }
  /// Called once per tick after the clock's begin_tick; true if the tick must be launched as a graph. Collective in the few
  /// ticks that capture or judge, which are equal on all ranks.
  bool takes(index_t tick);
  /// Launches the graph of the tick: all its work except file I/O.
  void launch(index_t tick);

  GraphReport report() const;

 private:
  /// The record of a past tick.
  struct Past {
    std::optional<TickWay> way{};
    index_t number = 0;
  };

  std::string own_problem() const;
  void agree();
  void refuse(const std::string& why) { note_ = why; }
  bool is_steady(index_t tick) const { return tick >= last_stage_ && tick < micro_batches_; }
  Past& past(index_t tick) { return past_[static_cast<std::size_t>(tick) % past_.size()]; }
  void take_time(index_t tick);
  TickWay next_way(index_t tick);
  bool capture(index_t tick);
  std::string try_capture(index_t tick);
  std::unique_ptr<DeviceGraph> captured_tick(index_t tick);
  void drain();
  void judge();

  Parts parts_;
  GraphUse use_;
  Control* control_;
  std::unique_ptr<DeviceEvent> is_drained_;
  bool has_agreed_ = false;
  std::optional<GraphTrial> trial_{};                   // empty if graphs are off
  std::vector<std::unique_ptr<DeviceGraph>> graphs_{};  // by phase
  index_t period_ = 1;
  index_t last_stage_ = 0;
  index_t micro_batches_ = 0;
  std::array<Past, 4> past_{};
  GraphReport report_{};
  std::string note_{};
};

}  // namespace parconv
