#include "parconv/engine/engine.hpp"

#include <numeric>

#include "engine/prepared_program.hpp"
#include "engine/steady_graphs.hpp"
#include "engine/step_timer.hpp"
#include "engine/tick_clock.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"

namespace parconv {
namespace {

/// What a profiler shows of a step: "conv1 Compute".
std::string range_name(const Network& network, const Step& step) {
  const bool has_node = step.node >= 0 && step.node < static_cast<NodeId>(network.nodes.size());
  if (!has_node) return std::string(name_of(step.action));
  return concat(network.value(network.node(step.node).output).name, " ", name_of(step.action));
}

template <class Wanted>
std::vector<std::size_t> steps_with(const Program& program) {
  std::vector<std::size_t> steps;
  for (std::size_t k = 0; k < program.steps.size(); ++k)
    if (std::holds_alternative<Wanted>(program.steps[k].action)) steps.push_back(k);
  return steps;
}

}  // namespace

struct Engine::State {
  const Network& network;
  Program program;
  EngineOptions options;
  std::unique_ptr<Device> own_device;  // of an engine that is given none
  Device& device;
  PreparedProgram prepared;
  StepTimer timer;
  TickClock clock;
  SteadyGraphs graphs;
  std::vector<std::string> range_names{};
  std::vector<std::size_t> steps;  // all of the program
  std::vector<std::size_t> loads;
  std::vector<std::size_t> stores;

  State(const Network& network_, Program program_, Communicator& communicator, Backend& backend, const EngineOptions& options_)
      : network(network_),
        program(std::move(program_)),
        options(options_),
        own_device(options.device == nullptr ? make_host_device() : nullptr),
        device(options.device == nullptr ? *own_device : *options.device),
        prepared(program, {network, device, communicator, backend, options.read_filter}),
        timer(device, program.steps.size()),
        clock(device, communicator),
        graphs({program, prepared, device, communicator, timer, clock}, options.graphs, options.control),
        steps(program.steps.size()),
        loads(steps_with<Load>(program)),
        stores(steps_with<Store>(program)) {
    std::iota(steps.begin(), steps.end(), std::size_t{0});
    for (const Step& step : program.steps) range_names.push_back(range_name(network, step));
  }

  void run(const RunData& data, index_t micro_batches) {
    const index_t ticks = micro_batches + last_stage(program);
    graphs.begin_run(micro_batches);
    for (index_t tick = 0; tick < ticks; ++tick) {
      run_tick({data, micro_batches, tick});
      if (tick + 1 == ticks) complete({data, micro_batches, tick});
      if (options.on_tick) options.on_tick(tick + 1);
    }
  }

  struct Tick {
    const RunData& data;
    index_t micro_batches = 0;
    index_t number = 0;
  };

  void run_tick(const Tick& tick) {
    clock.begin_tick(tick.number);
    timer.begin_tick(tick.number);
    if (graphs.takes(tick.number))
      launch_graph(tick);
    else
      give_steps(tick);
    clock.end_tick(tick.number);
    if (!device.is_host()) hand_over({tick.data, tick.micro_batches, tick.number - 1});
  }

  void launch_graph(const Tick& tick) {
    for_each_active(tick, loads, [&](std::size_t step, index_t micro_batch) { prepared.fetch(step, tick.data, micro_batch); });
    const DeviceRange range(device, "steady tick");
    graphs.launch(tick.number);
  }

  void give_steps(const Tick& tick) {
    for_each_active(tick, steps, [&](std::size_t step, index_t micro_batch) {
      const DeviceRange range(device, range_names[step].c_str());
      timer.begin_step(step);
      prepared.fetch(step, tick.data, micro_batch);
      prepared.give(step, micro_batch, Giving::Direct);
      if (device.is_host()) prepared.hand_over(step, tick.data, micro_batch);
      timer.end_step(step);
    });
    timer.end_tick();
  }

  /// Writes what a device has made in a tick.
  void hand_over(const Tick& tick) {
    if (stores.empty()) return;
    clock.wait_for_end(tick.number);
    for_each_active(tick, stores,
                    [&](std::size_t step, index_t micro_batch) { prepared.hand_over(step, tick.data, micro_batch); });
  }

  /// Nothing is left to do, on the device or for a sink.
  void complete(const Tick& last) {
    if (!device.is_host()) hand_over(last);
    clock.wait_for_end(last.number);
    timer.finish();
  }

  /// Calls visit(step, micro-batch) for those of the steps that have work in this tick.
  template <class Visit>
  void for_each_active(const Tick& tick, const std::vector<std::size_t>& of_steps, Visit&& visit) {
    for (const std::size_t step : of_steps) {
      const index_t micro_batch = tick.number - program.steps[step].stage;
      if (micro_batch >= 0 && micro_batch < tick.micro_batches) visit(step, micro_batch);
    }
  }
};

Engine::Engine(const Network& network, Program program, Communicator& communicator, Backend& backend,
               const EngineOptions& options)
    : state_(std::make_unique<State>(network, std::move(program), communicator, backend, options)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

void Engine::run(const RunData& data, index_t micro_batches) {
  PARCONV_EXPECT(data.sources.size() == state_->network.inputs.size(), data.sources.size(), " sources");
  PARCONV_EXPECT(data.sinks.size() == state_->network.outputs.size(), data.sinks.size(), " sinks");
  state_->run(data, micro_batches);
}

MemoryUse known_memory(const Program& program) {
  MemoryUse use{.arena_bytes = program.arena_bytes, .weight_bytes = program.weight_bytes};
  for (const Communication& communication : program.communications) use.staging_bytes += staging_bytes(program, communication);
  return use;
}

const Program& Engine::program() const { return state_->program; }
MemoryUse Engine::memory() const { return state_->prepared.memory(); }
std::span<const StepTime> Engine::step_times() const { return state_->timer.times(); }
GraphReport Engine::graphs() const { return state_->graphs.report(); }
std::string Engine::implementation(std::size_t step) const { return state_->prepared.implementation(step); }

}  // namespace parconv
