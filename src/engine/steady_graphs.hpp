// The steady ticks of a run as graphs of a device.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/graph_trial.hpp"
#include "engine/prepared_program.hpp"
#include "engine/step_timer.hpp"
#include "engine/tick_clock.hpp"

namespace parconv {

/// Captures what a steady tick gives to the device, once for each phase of the program's addresses, and launches it instead. In a
/// steady tick all stages of all ranks work, so every communication is in a graph on all its ranks or on none, and all ranks
/// launch graphs of the same phase: the phases are those of all ranks together. A graph ends when its messages are complete, also
/// those that would have been waited for in a later tick.
class SteadyGraphs {
 public:
  /// What it works with; all of it outlives it.
  struct Parts {
    const Program& program;
    PreparedProgram& prepared;
    Device& device;
    Communicator& communicator;
    StepTimer& timer;
    TickClock& clock;
  };
  /// Graphs that are worth their memory.
  static constexpr index_t most_phases = 24;

  SteadyGraphs(const Parts& parts, GraphUse use, Control* control);

  /// Collective the first time.
  void begin_run(index_t micro_batches);
  /// Once before the work of each tick, after the clock's begin_tick: true if it is to be launched. Collective in the few ticks
  /// in which graphs are captured and judged, which are the same on all ranks.
  bool takes(index_t tick);
  /// Gives the work of the tick to the device, all steps but for the files.
  void launch(index_t tick);

  GraphReport report() const;

 private:
  /// How a tick went, if it was steady.
  struct Past {
    std::optional<TickWay> way{};
    index_t number = 0;
  };

  std::string own_problem() const;
  void agree();
  void refuse(const std::string& why) { remark_ = why; }
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
  std::optional<GraphTrial> trial_{};                   // none if there are no graphs
  std::vector<std::unique_ptr<DeviceGraph>> graphs_{};  // by phase
  index_t period_ = 1;
  index_t last_stage_ = 0;
  index_t micro_batches_ = 0;
  std::array<Past, 4> past_{};
  GraphReport report_{};
  std::string remark_{};
};

}  // namespace parconv
