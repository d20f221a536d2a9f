// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/graphs/steady_graphs.hpp"
#include "engine/runners/device_program.hpp"
#include "engine/runners/runner.hpp"
#include "engine/step_timer.hpp"
#include "engine/tick_clock.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// The profiler range of a step: "conv1 Compute".
std::string range_name(const Network& network, const Step& step) {
  const bool has_node = step.node >= 0 && step.node < static_cast<NodeId>(network.nodes.size());
  if (!has_node) return std::string(name_of(step.action));
  return concat(network.value(network.node(step.node).output).name, " ", name_of(step.action));
}

class DeviceRunner final : public Runner {
 public:
  explicit DeviceRunner(const RunnerParts& parts)
      : parts_(parts),
        steps_(all_steps(parts.program)),
        program_(parts.prepared, parts.device, parts.program),
        timer_(parts.device, parts.program.steps.size()),
        clock_(parts.device, parts.communicator),
        graphs_({parts.program, program_, parts.device, parts.communicator, timer_, clock_}, parts.options.graphs,
                parts.options.control) {
    for (const Step& step : parts.program.steps) range_names_.push_back(range_name(parts.network, step));
  }

  index_t run(const RunData& data, index_t micro_batches) override {
    const index_t last = last_stage(parts_.program);
    graphs_.begin_run(micro_batches);
    for (index_t tick = 0; tick < micro_batches + last; ++tick) {
      run_tick({data, micro_batches, tick});
      if (tick + 1 == micro_batches + last) complete({data, micro_batches, tick});
      if (parts_.options.on_tick) parts_.options.on_tick(tick + 1);
      // The outputs of a tick are flushed one tick later.
      if (!ends_early(parts_.options, {.begun = tick + 1, .stored = std::max<index_t>(0, tick - last)}, micro_batches)) continue;
      micro_batches = tick + 1;
      graphs_.end_run_after(micro_batches);
      if (last == 0) complete({data, micro_batches, tick});
    }
    return micro_batches;
  }

  std::span<const StepTime> step_times() const override { return timer_.times(); }
  GraphReport graphs() const override { return graphs_.report(); }
  std::size_t pinned_bytes() const override { return program_.pinned_bytes(); }

 private:
  void run_tick(const Tick& tick) {
    clock_.begin_tick(tick.number);
    timer_.begin_tick(tick.number);
    if (graphs_.takes(tick.number))
      launch_graph(tick);
    else
      enqueue_steps(tick);
    clock_.end_tick(tick.number);
    flush({tick.data, tick.micro_batches, tick.number - 1});
  }

  void launch_graph(const Tick& tick) {
    for_each_active(parts_.program, program_.load_steps(), tick,
                    [&](std::size_t step, index_t micro_batch) { program_.load(step, tick.data, micro_batch); });
    const DeviceRange range(parts_.device, "steady tick");
    graphs_.launch(tick.number);
  }

  void enqueue_steps(const Tick& tick) {
    for_each_active(parts_.program, steps_, tick, [&](std::size_t step, index_t micro_batch) {
      const DeviceRange range(parts_.device, range_names_[step].c_str());
      timer_.begin_step(step);
      if (parts_.options.on_step) parts_.options.on_step(parts_.program.steps[step].node, micro_batch);
      program_.load(step, tick.data, micro_batch);
      program_.enqueue(step, micro_batch, EnqueueMode::Direct);
    });
    timer_.end_tick();
  }

  /// Writes the output blocks of a tick.
  void flush(const Tick& tick) {
    if (program_.store_steps().empty()) return;
    clock_.wait_for_end(tick.number);
    for_each_active(parts_.program, program_.store_steps(), tick,
                    [&](std::size_t step, index_t micro_batch) { program_.flush(step, tick.data, micro_batch); });
  }

  /// Waits for the device and flushes all sinks.
  void complete(const Tick& last) {
    flush(last);
    clock_.wait_for_end(last.number);
    timer_.finish();
  }

  RunnerParts parts_;
  std::vector<std::size_t> steps_;
  std::vector<std::string> range_names_{};
  DeviceProgram program_;
  DeviceStepTimer timer_;
  TickClock clock_;
  SteadyGraphs graphs_;
};

}  // namespace

std::unique_ptr<Runner> make_device_runner(const RunnerParts& parts) { return std::make_unique<DeviceRunner>(parts); }

}  // namespace parconv
