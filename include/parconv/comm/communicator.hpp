// The seam to the libraries that move data between ranks.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace parconv {

/// Bytes that go to `peer` or come from it, in the memory that the communicator is for: of the host, or of a device. They stay
/// where they are from prepare to the last finish.
struct SendMessage {
  int peer = 0;
  const std::byte* data = nullptr;
  std::size_t size_bytes = 0;
};
struct ReceiveMessage {
  int peer = 0;
  std::byte* data = nullptr;
  std::size_t size_bytes = 0;
};

/// One rank's part of one communication: all its messages, prepared once and started again and again. Messages between two
/// ranks match in the order of the spans.
class Exchange {
 public:
  virtual ~Exchange() = default;

  /// Starts all messages without waiting. Send buffers may not be written, receive buffers not touched, until finish. On a
  /// device the messages begin after what its compute lane was given before.
  virtual void start() = 0;
  /// Waits until all messages are complete. On a device the caller may be let go earlier: then its compute lane waits, and all
  /// that it is given afterwards finds the messages complete. Throws Error(Communication).
  virtual void finish() = 0;
  /// True once all messages are complete; moves data meanwhile.
  virtual bool test() = 0;

  /// The same as start and finish while the device captures, for communicators without a capture_problem: every launch of what
  /// was captured starts and finishes the messages. On all participants a communication is either captured or not.
  virtual void capture_start();
  virtual void capture_finish();
  /// Called after a launch that includes this exchange.
  virtual void note_launch() {}

  /// Pinned host memory that it keeps for messages on their way to and from a device.
  virtual std::size_t pinned_bytes() const { return 0; }
};

/// A group of ranks that exchange messages. All ranks start their exchanges in one global order (docs/design.md).
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Local. Describes messages that are to be sent many times. `order` is the exchange's place in the global order, and the same
  /// on all its participants; several exchanges of one order match in the order in which they are started.
  virtual std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                            std::span<const ReceiveMessage> receives) = 0;

  /// Local, does not block: lets started exchanges advance (many MPI libraries move data only inside MPI calls). For callers
  /// between two pieces of work.
  virtual void progress() = 0;

  /// The same for callers that wait for something else, which is no sign that their work goes on. Throws Error(Communication) if
  /// ranks have become unreachable.
  virtual void poll() = 0;

  /// Why a device cannot capture these exchanges; empty if it can. The same on all ranks.
  virtual std::string capture_problem() const { return "the host takes part in its messages"; }

  /// Collective, blocking.
  virtual void barrier() = 0;
};

}  // namespace parconv
