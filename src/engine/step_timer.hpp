// How long the steps of a program take: by the clock on a host, by events of the compute lane on a device.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "parconv/comm/communicator.hpp"
#include "parconv/device/device.hpp"
#include "parconv/engine/engine.hpp"

namespace parconv {

/// Times steps tick after tick. On a device a step takes from where the compute lane reaches it to where it reaches the next one:
/// transfers and messages count as far as the lane waits for them. Such times are read when the tick is over, two ticks later, so
/// the caller is never more than two ticks ahead of the device.
class StepTimer {
 public:
  StepTimer(Device& device, Communicator& communicator, std::size_t num_steps);

  void begin_tick();
  void begin_step(std::size_t step);
  void end_step(std::size_t step);
  void end_tick();
  /// Waits until the device is done with all ticks.
  void finish();

  std::span<const StepTime> times() const { return times_; }

 private:
  using Clock = std::chrono::steady_clock;
  /// What one of the last two ticks did: one event before each step, and one after the last.
  struct Tick {
    std::vector<std::unique_ptr<DeviceEvent>> events{};
    std::vector<std::size_t> steps{};
  };

  void collect(Tick& tick);

  Device& device_;
  Communicator& communicator_;
  std::vector<StepTime> times_;
  Clock::time_point begin_{};
  std::array<Tick, 2> ticks_{};  // on a device only
  std::size_t now_ = 0;
};

}  // namespace parconv
