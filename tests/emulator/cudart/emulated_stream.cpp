// SPDX-License-Identifier: Apache-2.0
#include "emulator/cudart/emulated_stream.hpp"

#include <random>
#include <set>
#include <thread>

#include "emulator/settings.hpp"

namespace parconv::emulator {
namespace {

/// All live streams. Never destroyed: stream threads run until the process exits.
struct Streams {
  std::mutex mutex{};
  std::condition_variable changed{};
  std::set<Stream*> all{};
  std::uint64_t created = 0;
};

Streams& streams() {
  static auto& streams = *new Streams;
  return streams;
}

/// Returns the stream's index in the process, from 1 on.
std::uint64_t register_stream(Stream* stream, StreamKind kind) {
  const std::scoped_lock lock(streams().mutex);
  if (kind == StreamKind::Ordinary) streams().all.insert(stream);
  return ++streams().created;
}

void unregister_stream(Stream* stream) {
  const std::scoped_lock lock(streams().mutex);
  streams().all.erase(stream);
}

/// Random delays, which let the work of other streams overtake.
class Delay {
 public:
  explicit Delay(std::uint64_t stream) : random_(settings().seed * 1000 + stream) {}

  void pass() {
    const auto longest = static_cast<std::uint64_t>(settings().delay.count());
    if (longest > 0 && random_() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random_() % longest));
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace

void Mark::reach() {
  const std::scoped_lock lock(mutex_);
  time_ = Clock::now();
  is_reached_ = true;
  changed_.notify_all();
}

void Mark::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_reached_.load(); });
}

Stream::Stream(int device, StreamKind kind) : device_(device) {
  std::thread([this, number = register_stream(this, kind)] { run(number); }).detach();
}

void Stream::destroy() {
  const std::scoped_lock lock(mutex_);
  is_ending_ = true;
  changed_.notify_all();
}

void Stream::submit(Work work) {
  const std::scoped_lock lock(mutex_);
  work_.push_back(std::move(work));
  changed_.notify_all();
}

bool Stream::is_idle() {
  const std::scoped_lock lock(mutex_);
  return work_.empty() && !is_busy_;
}

void Stream::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return work_.empty() && !is_busy_; });
}

/// Waits for the next work item. False if the queue is empty and the stream is being destroyed.
bool Stream::take(Work& work) {
  std::unique_lock lock(mutex_);
  is_busy_ = false;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !work_.empty() || is_ending_; });
  if (work_.empty()) return false;
  work = std::move(work_.front());
  work_.pop_front();
  is_busy_ = true;
  return true;
}

void Stream::run(std::uint64_t number) {
  Delay delay(number);
  for (Work work; take(work); work = nullptr) {
    delay.pass();
    work();
  }
  unregister_stream(this);
  delete this;
}

void wait_for_all_streams() {
  const std::scoped_lock lock(streams().mutex);
  for (Stream* stream : streams().all) stream->wait();
}

}  // namespace parconv::emulator
