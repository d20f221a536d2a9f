// How long the steps of a program take: by the clock on a host, by events of the compute lane on a device.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "parconv/device/device.hpp"
#include "parconv/engine/engine.hpp"

namespace parconv {

/// Times steps tick after tick. On a device a step takes from where the compute lane reaches it to where it reaches the next one:
/// transfers and messages count as far as the lane waits for them. Such times are read two ticks later. A graph records the same
/// events at each launch.
class StepTimer {
 public:
  StepTimer(Device& device, std::size_t num_steps);

  /// Precondition: the device is done with tick - 2 of the run.
  void begin_tick(index_t tick);
  void begin_step(std::size_t step);
  void end_step(std::size_t step);
  void end_tick();

  /// For a capture of all steps of `tick`, and of later ones with as many ticks in between as are a multiple of 2: the place
  /// before `step`, or behind the last.
  void capture_mark(index_t tick, std::size_t step);
  /// In this tick such a graph was launched.
  void note_launch();

  /// Reads all times. Precondition: the device is done with all ticks.
  void finish();

  std::span<const StepTime> times() const { return times_; }

 private:
  using Clock = std::chrono::steady_clock;
  /// What one of the last two ticks did: one event before each step, and one after the last.
  struct Tick {
    std::vector<std::unique_ptr<DeviceEvent>> events{};
    std::vector<std::size_t> steps{};
  };

  Tick& turn(index_t tick) { return ticks_[static_cast<std::size_t>(tick % 2)]; }
  void collect(Tick& tick);

  bool is_host_;
  std::vector<StepTime> times_;
  Clock::time_point begin_{};
  std::array<Tick, 2> ticks_{};  // on a device only
  Tick* now_ = nullptr;
};

}  // namespace parconv
