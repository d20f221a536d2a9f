// Where a device is in the ticks of a run.
#pragma once

#include <array>
#include <memory>

#include "parconv/comm/communicator.hpp"
#include "parconv/device/device.hpp"

namespace parconv {

/// Marks the end of each tick in the compute lane, and keeps the caller at most two ticks ahead of the device. Ticks of a run
/// count from 0. Does nothing on a host, where a tick is over when it is done.
class TickClock {
 public:
  TickClock(Device& device, Communicator& communicator);

  /// Waits until the device is done with tick - 2.
  void begin_tick(index_t tick) { wait_for_end(tick - 2); }
  /// All work of the tick is given.
  void end_tick(index_t tick);
  /// Waits until the device is done with the tick; at once if there was none. Precondition: at most two ticks began after it.
  void wait_for_end(index_t tick);

  /// Seconds from the end of the tick before to the end of this one. Preconditions: the device is done with it, at most one tick
  /// ended after it, it is not the first of its run.
  double seconds(index_t tick) const;

 private:
  DeviceEvent& end(index_t tick) const { return *ends_[static_cast<std::size_t>(tick) % ends_.size()]; }

  Communicator& communicator_;
  bool is_host_;
  /// A tick is timed when two more were begun, by its end and that of the tick before it.
  std::array<std::unique_ptr<DeviceEvent>, 3> ends_{};
};

}  // namespace parconv
