// Streams and events of the stand-in: queues of work that threads of the host do, and marks in them.
#pragma once

#include <driver_types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace parconv::stand_in {

using Work = std::function<void()>;

/// Gives work to a stream: it is done on the stream's thread, after all that the stream was given before. A stream in capture
/// keeps it for the graph. nullptr is the default stream of the current device.
void submit(cudaStream_t stream, Work work);

/// A place in a stream's work. Reached once.
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
  Helper,  ///< of the stand-in itself: whoever waits for the whole device does not wait for it
};

/// A queue of work, and a thread that does it in the order of the queue.
class Stream {
 public:
  explicit Stream(int device, StreamKind kind = StreamKind::Ordinary);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  /// Returns at once; the stream goes when its work is done.
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

/// Waits for all ordinary streams of all devices.
void wait_for_all_streams();

}  // namespace parconv::stand_in
