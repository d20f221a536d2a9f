// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/counting_communicator.hpp"

#include <utility>

namespace parconv {
namespace {

Traffic traffic_of(int rank, std::span<const SendMessage> sends, std::span<const ReceiveMessage> receives) {
  const auto counts = [rank](const auto& message) { return message.peer != rank && message.size_bytes > 0; };
  Traffic traffic;
  for (const SendMessage& message : sends)
    if (counts(message)) traffic += {.messages_sent = 1, .bytes_sent = static_cast<index_t>(message.size_bytes)};
  for (const ReceiveMessage& message : receives)
    if (counts(message)) traffic += {.messages_received = 1, .bytes_received = static_cast<index_t>(message.size_bytes)};
  return traffic;
}

class CountingExchange final : public ForwardingExchange {
 public:
  CountingExchange(std::unique_ptr<Exchange> inner, const Traffic& traffic, Traffic& counted)
      : ForwardingExchange(std::move(inner)), traffic_(traffic), counted_(counted) {}

  void start() override {
    ForwardingExchange::start();
    counted_ += traffic_;
  }
  void note_launch() override {
    ForwardingExchange::note_launch();
    counted_ += traffic_;
  }

 private:
  Traffic traffic_;
  Traffic& counted_;
};

}  // namespace

Traffic& Traffic::operator+=(const Traffic& other) {
  messages_sent += other.messages_sent;
  bytes_sent += other.bytes_sent;
  messages_received += other.messages_received;
  bytes_received += other.bytes_received;
  return *this;
}

std::unique_ptr<Exchange> CountingCommunicator::prepare(int order, std::span<const SendMessage> sends,
                                                        std::span<const ReceiveMessage> receives) {
  std::unique_ptr<Exchange> exchange = ForwardingCommunicator::prepare(order, sends, receives);
  return std::make_unique<CountingExchange>(std::move(exchange), traffic_of(rank(), sends, receives), by_order_[order]);
}

Traffic CountingCommunicator::total() const {
  Traffic sum;
  for (const auto& [order, traffic] : by_order_) sum += traffic;
  return sum;
}

void CountingCommunicator::reset() {
  for (auto& [order, traffic] : by_order_) traffic = {};
}

}  // namespace parconv
