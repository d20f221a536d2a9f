// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/runners/runner.hpp"
#include "engine/step_timer.hpp"

namespace parconv {
namespace {

class HostRunner final : public Runner {
 public:
  explicit HostRunner(const RunnerParts& parts)
      : parts_(parts), steps_(all_steps(parts.program)), timer_(parts.program.steps.size()) {}

  index_t run(const RunData& data, index_t micro_batches) override {
    const index_t last = last_stage(parts_.program);
    for (index_t tick = 0; tick < micro_batches + last; ++tick) {
      for_each_active(parts_.program, steps_, {data, micro_batches, tick}, [&](std::size_t step, index_t micro_batch) {
        timer_.begin_step();
        if (parts_.options.on_step) parts_.options.on_step(parts_.program.steps[step].node, micro_batch);
        run_step(step, data, micro_batch);
        timer_.end_step(step);
      });
      if (parts_.options.on_tick) parts_.options.on_tick(tick + 1);
      const RunProgress progress{.begun = tick + 1, .stored = std::max<index_t>(0, tick + 1 - last)};
      if (ends_early(parts_.options, progress, micro_batches)) micro_batches = progress.begun;
    }
    return micro_batches;
  }

  std::span<const StepTime> step_times() const override { return timer_.times(); }
  GraphReport graphs() const override {
    return {.note = parts_.options.graphs == GraphUse::Off ? "switched off" : parts_.device.capture_problem()};
  }
  std::size_t pinned_bytes() const override { return 0; }

 private:
  void run_step(std::size_t step, const RunData& data, index_t micro_batch) {
    if (const FileBlock* block = parts_.prepared.load_block(step))
      data.sources[block->file]->read(block->box_in_file(data.first_sample, micro_batch), block->region.view(micro_batch));
    else if ((block = parts_.prepared.store_block(step)) != nullptr)
      data.sinks[block->file]->write(block->box_in_file(data.first_sample, micro_batch), block->region.view(micro_batch));
    else
      parts_.prepared.enqueue(step, micro_batch, EnqueueMode::Direct);
  }

  RunnerParts parts_;
  std::vector<std::size_t> steps_;
  HostStepTimer timer_;
};

}  // namespace

std::unique_ptr<Runner> make_host_runner(const RunnerParts& parts) { return std::make_unique<HostRunner>(parts); }

}  // namespace parconv
