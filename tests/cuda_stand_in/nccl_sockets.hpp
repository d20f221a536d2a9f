// One-way connections between the ranks of a communicator, over Unix sockets without files.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace parconv::stand_in {

/// A file descriptor that is closed at the end.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket();
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// What a rank tells the others when it connects.
struct Hello {
  int rank = 0;
  int size = 1;
  std::uint64_t host = 0;  ///< ranks with the same number are on one host
  std::uint64_t gpu = 0;   ///< ranks of one host with the same number are on one GPU
};

/// A rank sends to every rank, itself too, by one connection, and receives from it by another, so that nothing stands in the way
/// of the receipts, which go back.
class Connections {
 public:
  /// Listens, so that the others can connect. `name` is the same on all ranks, and of no other communicator.
  Connections(std::string name, const Hello& own);

  /// Waits for all ranks, and returns what they told. Less if `is_aborted` was set meanwhile.
  std::vector<Hello> connect(const std::atomic<bool>& is_aborted);
  /// The other ranks read to the end of what was sent, and then see that this one has gone.
  void shut_down();

  const Socket& to(int rank) const { return to_[static_cast<std::size_t>(rank)]; }
  const Socket& from(int rank) const { return from_[static_cast<std::size_t>(rank)]; }

 private:
  bool connect_to(int rank);

  std::string name_;
  Hello own_;
  Socket listening_{};
  std::vector<Socket> to_;
  std::vector<Socket> from_;
};

}  // namespace parconv::stand_in
