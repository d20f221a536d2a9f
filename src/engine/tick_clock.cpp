// SPDX-License-Identifier: Apache-2.0
#include "engine/tick_clock.hpp"

#include "engine/waiting.hpp"

namespace parconv {

TickClock::TickClock(Device& device, Communicator& communicator) : communicator_(communicator) {
  for (auto& end : ends_) end = device.make_event(EventKind::Timed);
}

void TickClock::end_tick(index_t tick) { end(tick).record(DeviceStream::Compute); }

void TickClock::wait_for_end(index_t tick) {
  if (tick >= 0) wait_for(end(tick), communicator_);
}

double TickClock::seconds(index_t tick) const { return end(tick).seconds_since(end(tick - 1)); }

}  // namespace parconv
