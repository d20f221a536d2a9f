// SPDX-License-Identifier: Apache-2.0
// One-way connections between the ranks of a communicator, over abstract Unix sockets.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace parconv::emulator {

/// Owning socket descriptor.
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

/// Handshake that a rank sends when it connects.
struct Hello {
  int rank = 0;
  int size = 1;
  std::uint64_t host = 0;  ///< equal for ranks on the same host
  std::uint64_t gpu = 0;   ///< equal for ranks of a host on the same GPU
};

/// Each pair of ranks, self included, has one connection per direction, so that data cannot block receipts, which travel in
/// reverse.
class Connections {
 public:
  /// Binds and listens. `name` is the same on all ranks, and unique to the communicator.
  Connections(std::string name, const Hello& own);

  /// Connects to all ranks and returns their handshakes. Incomplete if `is_aborted` is set meanwhile.
  std::vector<Hello> connect(const std::atomic<bool>& is_aborted);
  /// Peers read what was sent before, then see end of file.
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

}  // namespace parconv::emulator
