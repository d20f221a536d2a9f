// SPDX-License-Identifier: Apache-2.0
// Owner of a file descriptor.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace parconv {

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return value_; }

  /// Closes now. False if it fails, with errno. After a signal the descriptor is closed, on Linux.
  bool close() {
    const int value = std::exchange(value_, -1);
    return value < 0 || ::close(value) == 0 || errno == EINTR;
  }

 private:
  int value_ = -1;
};

}  // namespace parconv
