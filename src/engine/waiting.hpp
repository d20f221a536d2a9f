// Waiting for a device while messages travel.
#pragma once

#include "parconv/comm/communicator.hpp"
#include "parconv/device/device.hpp"

namespace parconv {

/// Blocks until `event` is reached. Exchanges advance meanwhile, and an unreachable rank or a failed device ends the wait with an
/// Error.
void wait_for(DeviceEvent& event, Communicator& communicator);

}  // namespace parconv
