// The messages of one NCCL group.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "nccl_sockets.hpp"

namespace parconv::stand_in {

struct Message {
  bool is_sent = false;  ///< else received
  int peer = 0;
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

enum class ExchangeEnd { Done, Aborted, PeerLost };

/// Moves all messages at once, those between two ranks in their order. A message is done when it was received, as if there were
/// no memory on its way. Gives up if a message meets a receive of another size.
ExchangeEnd exchange(const Connections& connections, const std::vector<Message>& messages, const std::atomic<bool>& is_aborted);

}  // namespace parconv::stand_in
