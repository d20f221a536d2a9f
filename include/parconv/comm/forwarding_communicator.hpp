// SPDX-License-Identifier: Apache-2.0
// Base classes of communicator decorators.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "parconv/comm/communicator.hpp"

namespace parconv {

/// Forwards every call to another exchange. Decorators override the methods they change.
class ForwardingExchange : public Exchange {
 public:
  /// Precondition: `inner` is not null.
  explicit ForwardingExchange(std::unique_ptr<Exchange> inner);

  void start() override;
  void finish() override;
  bool test() override;
  void capture_start() override;
  void capture_finish() override;
  void note_launch() override;
  std::size_t pinned_bytes() const override;

 private:
  std::unique_ptr<Exchange> inner_;
};

/// Forwards every call to another communicator. Decorators override the methods they change.
class ForwardingCommunicator : public Communicator {
 public:
  /// Precondition: `inner` is not null.
  explicit ForwardingCommunicator(std::unique_ptr<Communicator> inner);

  int rank() const override;
  int size() const override;
  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override;
  void progress() override;
  void poll() override;
  std::string capture_problem() const override;
  void barrier() override;

 protected:
  Communicator& inner() { return *inner_; }

 private:
  std::unique_ptr<Communicator> inner_;
};

}  // namespace parconv
