// SPDX-License-Identifier: Apache-2.0
// Times of the steps of a program: by the clock on the host, by events of the compute stream on a device.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "parconv/device/device.hpp"
#include "parconv/engine/engine.hpp"

namespace parconv {

/// Times steps that are complete when they return.
class HostStepTimer {
 public:
  explicit HostStepTimer(std::size_t num_steps) : times_(num_steps) {}

  void begin_step() { begin_ = Clock::now(); }
  void end_step(std::size_t step) {
    times_[step].calls += 1;
    times_[step].seconds += std::chrono::duration<double>(Clock::now() - begin_).count();
  }

  std::span<const StepTime> times() const { return times_; }

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<StepTime> times_;
  Clock::time_point begin_{};
};

/// Times enqueued steps. The time of a step ends when the compute stream reaches the next one, so transfers and messages count
/// only while the stream waits for them. Times are read two ticks later. A graph records the same events at each launch.
class DeviceStepTimer {
 public:
  DeviceStepTimer(Device& device, std::size_t num_steps);

  /// Precondition: the device has completed tick - 2 of the run.
  void begin_tick(index_t tick);
  void begin_step(std::size_t step);
  void end_tick();

  /// Captures the mark before `step`, or after the last step. The captured graph may be launched in `tick` and in ticks at an
  /// even distance from it.
  void capture_mark(index_t tick, std::size_t step);
  /// Called when such a graph is launched in the current tick.
  void note_launch();

  /// Reads all times. Precondition: the device has completed all ticks.
  void finish();

  std::span<const StepTime> times() const { return times_; }

 private:
  /// The events of one of the last two ticks: one before each step and one after the last.
  struct TickEvents {
    std::vector<std::unique_ptr<DeviceEvent>> events{};
    std::vector<std::size_t> steps{};
  };

  TickEvents& turn(index_t tick) { return ticks_[static_cast<std::size_t>(tick % 2)]; }
  void collect(TickEvents& tick);

  std::vector<StepTime> times_;
  std::array<TickEvents, 2> ticks_{};
  TickEvents* now_ = nullptr;
};

}  // namespace parconv
