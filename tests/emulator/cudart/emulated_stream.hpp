// SPDX-License-Identifier: Apache-2.0
// Streams and events of the emulator: work queues served by host threads, and marks in them.
#pragma once

#include <driver_types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace parconv::emulator {

using Work = std::function<void()>;

/// Enqueues work on a stream: it runs on the stream's thread in FIFO order, or is captured if the stream is capturing. nullptr
/// is the default stream of the current device.
void submit(cudaStream_t stream, Work work);

/// A completion mark in a stream's queue, reached once.
class Mark {
 public:
  using Clock = std::chrono::steady_clock;

  void reach();
  void wait();
  bool is_reached() const { return is_reached_; }
  /// Precondition: reached.
  Clock::time_point time() const { return time_; }

 private:
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::atomic<bool> is_reached_ = false;
  Clock::time_point time_{};
};

enum class StreamKind {
  Ordinary,
  Helper,  ///< internal to the emulator, excluded from device synchronization
};

/// A FIFO queue of work and the thread that serves it.
class Stream {
 public:
  explicit Stream(int device, StreamKind kind = StreamKind::Ordinary);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  /// Asynchronous: the stream is deleted once its queue is empty.
  void destroy();

  int device() const { return device_; }
  void submit(Work work);
  bool is_idle();
  void wait();

 private:
  ~Stream() = default;
  void run(std::uint64_t number);
  bool take(Work& work);

  int device_;
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::deque<Work> work_{};
  bool is_busy_ = false;
  bool is_ending_ = false;
};

/// Waits for all ordinary streams of all devices to be idle.
void wait_for_all_streams();

}  // namespace parconv::emulator
