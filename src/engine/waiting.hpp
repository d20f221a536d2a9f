// SPDX-License-Identifier: Apache-2.0
// Waiting for a device while messages are in flight.
#pragma once

#include "parconv/comm/communicator.hpp"
#include "parconv/device/device.hpp"

namespace parconv {

/// Blocks until `event` is reached and advances exchanges meanwhile. Throws Error if a rank is unreachable or the device
/// failed.
void wait_for(DeviceEvent& event, Communicator& communicator);

}  // namespace parconv
