// SPDX-License-Identifier: Apache-2.0
#include "stop_requests.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>

namespace parconv::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double seconds_between_questions = 1;

std::atomic<int> signals{0};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may run between any two instructions");
Clock::time_point begin = Clock::now();

extern "C" void note_signal(int) { signals.store(1, std::memory_order_relaxed); }

double seconds_since_begin() { return std::chrono::duration<double>(Clock::now() - begin).count(); }

}  // namespace

void listen_for_stop_requests() {
  begin = Clock::now();
  struct sigaction action{};
  action.sa_handler = &note_signal;
  action.sa_flags = SA_RESTART;  // system calls of libraries go on
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, nullptr);
}

StopReason StopRequests::reason() {
  if (signals.load(std::memory_order_relaxed) != 0) return StopReason::Signal;
  if (options_.max_seconds > 0 && seconds_since_begin() >= options_.max_seconds) return StopReason::MaxTime;
  return has_file() ? StopReason::StopFile : StopReason::None;
}

bool StopRequests::has_file() {
  if (options_.file.empty() || has_seen_file_) return has_seen_file_;
  const double now = seconds_since_begin();
  if (asked_seconds_ >= 0 && now - asked_seconds_ < seconds_between_questions) return false;
  asked_seconds_ = now;
  has_seen_file_ = ::access(options_.file.c_str(), F_OK) == 0;
  return has_seen_file_;
}

std::string StopRequests::text(StopReason reason) const {
  switch (reason) {
    case StopReason::Signal:
      return "SIGUSR1";
    case StopReason::MaxTime:
      return fmt::format("--max-time {}", options_.max_seconds);
    case StopReason::StopFile:
      return fmt::format("the file {}", options_.file);
    case StopReason::None:
      break;
  }
  return "";
}

void StopRequests::obey() const {
  if (has_seen_file_) ::unlink(options_.file.c_str());
}

}  // namespace parconv::app
