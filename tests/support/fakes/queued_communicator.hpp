// SPDX-License-Identifier: Apache-2.0
// Messages that a device sends by itself.
#pragma once

#include <memory>

#include "parconv/comm/communicator.hpp"
#include "support/fakes/fake_device.hpp"

namespace parconv::test {

/// Messages are work of the communication stream, as with NCCL: the host only enqueues them, and they can be captured. `inner` is
/// a communicator for host memory. The device must outlive it.
std::unique_ptr<Communicator> make_queued_communicator(std::unique_ptr<Communicator> inner, FakeDevice& device);

}  // namespace parconv::test
