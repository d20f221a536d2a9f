// SPDX-License-Identifier: Apache-2.0
// A communicator that reports progress to a watchdog, and waits to other ranks.
#pragma once

#include <memory>
#include <utility>

#include "parconv/comm/counting_communicator.hpp"
#include "parconv/comm/watchdog.hpp"

namespace parconv {

/// Counts messages and kicks the watchdog at each progress(), which engines call between kernels. poll() does not kick: a
/// waiting rank makes no progress of its own. With a pulse, waits for messages are published. Watchdog and pulse must outlive it
/// and its exchanges.
class WatchedCommunicator final : public CountingCommunicator {
 public:
  WatchedCommunicator(std::unique_ptr<Communicator> inner, Watchdog& watchdog, RankPulse* pulse = nullptr)
      : CountingCommunicator(std::move(inner)), watchdog_(watchdog), pulse_(pulse) {}

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override;

  void progress() override {
    watchdog_.kick();
    CountingCommunicator::progress();
  }

  /// The device works, or waits for messages itself.
  void poll() override {
    if (pulse_ != nullptr) pulse_->set(Activity::Library);
    CountingCommunicator::poll();
  }

  void barrier() override {
    const ActivityScope waiting(pulse_, Activity::Waiting);
    CountingCommunicator::barrier();
  }

 private:
  Watchdog& watchdog_;
  RankPulse* pulse_;
};

}  // namespace parconv
