// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/watched_communicator.hpp"

namespace parconv {
namespace {

class WatchedExchange final : public ForwardingExchange {
 public:
  WatchedExchange(std::unique_ptr<Exchange> inner, RankPulse& pulse) : ForwardingExchange(std::move(inner)), pulse_(pulse) {}

  void finish() override {
    const ActivityScope waiting(&pulse_, Activity::Waiting);
    ForwardingExchange::finish();
  }

 private:
  RankPulse& pulse_;
};

}  // namespace

std::unique_ptr<Exchange> WatchedCommunicator::prepare(int order, std::span<const SendMessage> sends,
                                                       std::span<const ReceiveMessage> receives) {
  auto exchange = CountingCommunicator::prepare(order, sends, receives);
  if (pulse_ == nullptr) return exchange;
  return std::make_unique<WatchedExchange>(std::move(exchange), *pulse_);
}

}  // namespace parconv
