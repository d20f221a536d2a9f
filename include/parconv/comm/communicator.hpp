// SPDX-License-Identifier: Apache-2.0
// The interface to the libraries that move data between ranks.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace parconv {

/// A message to `peer`. `data` is host or device memory, as the communicator requires, and must stay valid from prepare to the
/// last finish.
struct SendMessage {
  int peer = 0;
  const std::byte* data = nullptr;
  std::size_t size_bytes = 0;
};
/// A message from `peer`, under the same rules as SendMessage.
struct ReceiveMessage {
  int peer = 0;
  std::byte* data = nullptr;
  std::size_t size_bytes = 0;
};

// All methods of Exchange and Communicator are pure virtual: a decorator that omits one does not compile. Decorators derive
// from ForwardingCommunicator.

/// One rank's messages of one communication: prepared once, started many times. Messages between two ranks match in the order
/// of the spans.
class Exchange {
 public:
  virtual ~Exchange() = default;

  /// Starts all messages; local, does not block. Until finish, send buffers must not be written and receive buffers must not be
  /// accessed. On a device the messages follow all work already enqueued on its compute stream. Throws Error(Communication).
  virtual void start() = 0;
  /// Blocks until all messages are complete. On a device it may return earlier and make the compute stream wait instead: work
  /// enqueued on that stream afterwards runs after the messages. Throws Error(Communication).
  virtual void finish() = 0;
  /// True once all messages are complete. Local, does not block; advances the messages. Throws Error(Communication).
  virtual bool test() = 0;

  /// The counterparts of start and finish during a capture (Device::capture): every launch of the graph starts and finishes the
  /// messages. A communication is captured on all its ranks or on none. Precondition: the communicator's capture_problem is
  /// empty.
  virtual void capture_start() = 0;
  virtual void capture_finish() = 0;
  /// Called after every launch of a graph that contains this exchange.
  virtual void note_launch() = 0;

  /// Pinned host memory held for staging messages.
  virtual std::size_t pinned_bytes() const = 0;
};

/// Base of exchanges that cannot be captured: capture_start and capture_finish throw Bug.
class UncapturedExchange : public Exchange {
 public:
  void capture_start() final;
  void capture_finish() final;
  void note_launch() final {}
  std::size_t pinned_bytes() const override { return 0; }
};

/// The capture_problem of communicators whose messages need host calls.
inline constexpr const char* host_takes_part = "the host takes part in its messages";

/// A group of ranks that exchange messages. All ranks start their exchanges in the same global order (docs/design.md).
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Prepares messages that are sent many times. Local. `order` is the position in the global order and must be equal on all
  /// participants. Exchanges of equal order match in the order in which they are started.
  virtual std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                            std::span<const ReceiveMessage> receives) = 0;

  /// Advances started exchanges, since many MPI libraries move data only inside MPI calls. Local, does not block. Called
  /// between kernels.
  virtual void progress() = 0;

  /// The same for callers that wait for another event: it does not count as progress for a watchdog. Throws
  /// Error(Communication) if ranks have become unreachable.
  virtual void poll() = 0;

  /// The reason why a device cannot capture these exchanges, empty if it can. Equal on all ranks.
  virtual std::string capture_problem() const = 0;

  /// Collective, blocking.
  virtual void barrier() = 0;
};

}  // namespace parconv
