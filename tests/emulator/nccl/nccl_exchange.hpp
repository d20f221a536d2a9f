// SPDX-License-Identifier: Apache-2.0
// Point-to-point messages of one NCCL group.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "nccl_sockets.hpp"

namespace parconv::emulator {

struct Message {
  bool is_sent = false;  ///< otherwise received
  int peer = 0;
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

enum class ExchangeEnd { Done, Aborted, PeerLost };

/// Moves all messages concurrently, those between the same two ranks in order. A send completes when it has been received, as
/// if NCCL had no buffers. Aborts if the sizes of a send and its receive differ.
ExchangeEnd exchange(const Connections& connections, const std::vector<Message>& messages, const std::atomic<bool>& is_aborted);

}  // namespace parconv::emulator
