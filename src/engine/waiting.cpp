// SPDX-License-Identifier: Apache-2.0
#include "engine/waiting.hpp"

#include <thread>

namespace parconv {

void wait_for(DeviceEvent& event, Communicator& communicator) {
  while (!event.is_reached()) {
    communicator.poll();
    std::this_thread::yield();
  }
}

}  // namespace parconv
