// SPDX-License-Identifier: Apache-2.0
#include "parconv/engine/engine.hpp"

#include "engine/prepared_program.hpp"
#include "engine/runners/runner.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"

namespace parconv {

struct Engine::State {
  const Network& network;
  Program program;
  EngineOptions options;
  std::unique_ptr<Device> own_device;  // the host device if the options name none
  Device& device;
  PreparedProgram prepared;
  std::unique_ptr<Runner> runner;

  State(const Network& network_, Program program_, Communicator& communicator, Backend& backend, const EngineOptions& options_)
      : network(network_),
        program(std::move(program_)),
        options(options_),
        own_device(options.device == nullptr ? make_host_device({.count = options.threads}) : nullptr),
        device(options.device == nullptr ? *own_device : *options.device),
        prepared(program, {network, device, communicator, backend, options.read_filter}),
        runner(make_runner({network, program, prepared, device, communicator, options})) {}
};

Engine::Engine(const Network& network, Program program, Communicator& communicator, Backend& backend,
               const EngineOptions& options)
    : state_(std::make_unique<State>(network, std::move(program), communicator, backend, options)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

index_t Engine::run(const RunData& data, index_t micro_batches) {
  PARCONV_EXPECT(data.sources.size() == state_->network.inputs.size(), data.sources.size(), " sources");
  PARCONV_EXPECT(data.sinks.size() == state_->network.outputs.size(), data.sinks.size(), " sinks");
  return state_->runner->run(data, micro_batches);
}

MemoryUse known_memory(const Program& program) {
  MemoryUse use{.arena_bytes = program.arena_bytes, .weight_bytes = program.weight_bytes};
  for (const Communication& communication : program.communications) use.staging_bytes += staging_bytes(program, communication);
  return use;
}

const Program& Engine::program() const { return state_->program; }

MemoryUse Engine::memory() const {
  MemoryUse use = state_->prepared.memory();
  use.pinned_bytes += static_cast<index_t>(state_->runner->pinned_bytes());
  return use;
}

std::span<const StepTime> Engine::step_times() const { return state_->runner->step_times(); }
GraphReport Engine::graphs() const { return state_->runner->graphs(); }
std::string Engine::implementation(std::size_t step) const { return state_->prepared.implementation(step); }

}  // namespace parconv
