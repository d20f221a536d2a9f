// A communicator that counts what moves.
#pragma once

#include <map>
#include <memory>

#include "parconv/comm/communicator.hpp"
#include "parconv/core/types.hpp"

namespace parconv {

/// Messages between this rank and others, and their bytes. Empty messages and those to the own rank do not count.
struct Traffic {
  index_t messages_sent = 0;
  index_t bytes_sent = 0;
  index_t messages_received = 0;
  index_t bytes_received = 0;

  Traffic& operator+=(const Traffic& other);
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

/// Passes everything on to another communicator and counts each exchange when it is started. Its exchanges must not outlive it.
class CountingCommunicator final : public Communicator {
 public:
  explicit CountingCommunicator(std::unique_ptr<Communicator> inner);

  int rank() const override;
  int size() const override;
  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override;
  void progress() override;
  void poll() override;
  std::string capture_problem() const override;
  void barrier() override;

  /// What the exchanges of each order have moved on this rank; zeros for an order that is prepared and not started.
  const std::map<int, Traffic>& by_order() const { return by_order_; }
  Traffic total() const;
  /// Counts from zero again; prepared exchanges stay usable.
  void reset();

 private:
  std::unique_ptr<Communicator> inner_;
  std::map<int, Traffic> by_order_{};
};

}  // namespace parconv
