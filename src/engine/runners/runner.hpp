// SPDX-License-Identifier: Apache-2.0
// The tick loops of a run: one for the host, one for the streams of a device.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/prepared_program.hpp"
#include "parconv/engine/engine.hpp"

namespace parconv {

/// Runs a program. Created once per engine.
class Runner {
 public:
  virtual ~Runner() = default;

  /// As Engine::run.
  virtual index_t run(const RunData& data, index_t micro_batches) = 0;

  virtual std::span<const StepTime> step_times() const = 0;
  virtual GraphReport graphs() const = 0;
  /// Pinned memory for blocks of files.
  virtual std::size_t pinned_bytes() const = 0;
};

/// References to the environment of a runner, which must outlive it.
struct RunnerParts {
  const Network& network;
  const Program& program;
  PreparedProgram& prepared;
  Device& device;
  Communicator& communicator;
  const EngineOptions& options;
};

/// The runner for the platform of the device.
std::unique_ptr<Runner> make_runner(const RunnerParts& parts);

/// Steps are complete when they return. Files are read into and written from the engine's memory directly.
std::unique_ptr<Runner> make_host_runner(const RunnerParts& parts);

/// Steps are enqueued at most two ticks ahead of the device. File I/O overlaps them through pinned memory.
std::unique_ptr<Runner> make_device_runner(const RunnerParts& parts);

/// The position of a run.
struct Tick {
  const RunData& data;
  index_t micro_batches = 0;
  index_t number = 0;
};

/// True if no further micro-batch begins after `begun` of `micro_batches`: see EngineOptions::ends_early.
bool ends_early(const EngineOptions& options, const RunProgress& progress, index_t micro_batches);

/// Calls visit(step, micro_batch) for those of `steps` with work in the tick: a step of stage s works on micro-batch
/// tick.number - s.
template <class Visit>
void for_each_active(const Program& program, const std::vector<std::size_t>& steps, const Tick& tick, Visit&& visit) {
  for (const std::size_t step : steps) {
    const index_t micro_batch = tick.number - program.steps[step].stage;
    if (micro_batch >= 0 && micro_batch < tick.micro_batches) visit(step, micro_batch);
  }
}

/// The indices of all steps of a program.
std::vector<std::size_t> all_steps(const Program& program);

}  // namespace parconv
