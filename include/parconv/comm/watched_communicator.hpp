// SPDX-License-Identifier: Apache-2.0
// A communicator that reports progress to a watchdog.
#pragma once

#include <memory>
#include <utility>

#include "parconv/comm/counting_communicator.hpp"
#include "parconv/comm/watchdog.hpp"

namespace parconv {

/// Counts messages and kicks the watchdog at each progress(), which engines call between kernels. poll() does not kick: a
/// waiting rank makes no progress of its own. The watchdog must outlive it.
class WatchedCommunicator final : public CountingCommunicator {
 public:
  WatchedCommunicator(std::unique_ptr<Communicator> inner, Watchdog& watchdog)
      : CountingCommunicator(std::move(inner)), watchdog_(watchdog) {}

  void progress() override {
    watchdog_.kick();
    CountingCommunicator::progress();
  }

 private:
  Watchdog& watchdog_;
};

}  // namespace parconv
