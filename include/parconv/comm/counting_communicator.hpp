// SPDX-License-Identifier: Apache-2.0
// A communicator that counts messages and bytes.
#pragma once

#include <map>
#include <memory>

#include "parconv/comm/forwarding_communicator.hpp"
#include "parconv/core/types.hpp"

namespace parconv {

/// Messages between this rank and others, and their bytes. Empty messages and messages to the own rank are not counted.
struct Traffic {
  index_t messages_sent = 0;
  index_t bytes_sent = 0;
  index_t messages_received = 0;
  index_t bytes_received = 0;

  Traffic& operator+=(const Traffic& other);
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

/// Forwards to another communicator and counts each exchange when it is started. It must outlive its exchanges.
class CountingCommunicator : public ForwardingCommunicator {
 public:
  using ForwardingCommunicator::ForwardingCommunicator;

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override;

  /// This rank's traffic by order; zeros for an order that was prepared and never started.
  const std::map<int, Traffic>& by_order() const { return by_order_; }
  Traffic total() const;
  /// Resets all counts to zero; prepared exchanges remain valid.
  void reset();

 private:
  std::map<int, Traffic> by_order_{};
};

}  // namespace parconv
