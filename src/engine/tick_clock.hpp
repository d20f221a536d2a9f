// SPDX-License-Identifier: Apache-2.0
// The progress of a device through the ticks of a run.
#pragma once

#include <array>
#include <memory>

#include "parconv/comm/communicator.hpp"
#include "parconv/device/device.hpp"

namespace parconv {

/// Records the end of each tick on the compute stream and keeps the caller at most two ticks ahead of the device. Ticks of a
/// run are numbered from 0.
class TickClock {
 public:
  TickClock(Device& device, Communicator& communicator);

  /// Blocks until the device has completed tick - 2.
  void begin_tick(index_t tick) { wait_for_end(tick - 2); }
  /// Called when all work of the tick is enqueued.
  void end_tick(index_t tick);
  /// Blocks until the device has completed the tick; returns at once if there was none. Precondition: at most two ticks began
  /// after it.
  void wait_for_end(index_t tick);

  /// Seconds between the ends of the previous tick and this one. Preconditions: the device has completed it, at most one tick
  /// ended after it, it is not the first of its run.
  double seconds(index_t tick) const;

 private:
  DeviceEvent& end(index_t tick) const { return *ends_[static_cast<std::size_t>(tick) % ends_.size()]; }

  Communicator& communicator_;
  /// Three events: a tick is timed once two more have begun, by its end and that of the previous tick.
  std::array<std::unique_ptr<DeviceEvent>, 3> ends_{};
};

}  // namespace parconv
