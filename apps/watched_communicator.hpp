// A communicator that tells the watchdog when work goes on.
#pragma once

#include <memory>
#include <utility>

#include "parconv/comm/counting_communicator.hpp"
#include "parconv/comm/watchdog.hpp"

namespace parconv::app {

/// Counts messages, and kicks the watchdog at each progress(), which engines call between kernels.
class WatchedCommunicator final : public Communicator {
 public:
  WatchedCommunicator(std::unique_ptr<Communicator> inner, Watchdog& watchdog) : inner_(std::move(inner)), watchdog_(watchdog) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    return inner_.prepare(order, sends, receives);
  }
  void progress() override {
    watchdog_.kick();
    inner_.progress();
  }
  void poll() override { inner_.poll(); }
  std::string capture_problem() const override { return inner_.capture_problem(); }
  void barrier() override { inner_.barrier(); }

  const CountingCommunicator& counting() const { return inner_; }
  void reset_counts() { inner_.reset(); }

 private:
  CountingCommunicator inner_;
  Watchdog& watchdog_;
};

}  // namespace parconv::app
