// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/watchdog.hpp"

#include <algorithm>
#include <utility>

#include "comm/signals_blocked.hpp"

namespace parconv {
namespace {

constexpr std::chrono::milliseconds longest_sleep{250};
/// A thread that wakes up this late was stopped together with its process, or starved.
constexpr std::chrono::seconds late{1};
constexpr std::chrono::milliseconds excuse_period{250};

}  // namespace

Watchdog::Watchdog(Action on_expiry, Watched watched) : on_expiry_(std::move(on_expiry)), watched_(std::move(watched)) {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Watchdog::arm(std::string phase, double seconds) {
  const std::lock_guard lock(mutex_);
  deadline_ = {.phase = std::move(phase), .seconds = seconds};
  expiry_ = expiry_from_now();
  changed_.notify_one();
}

void Watchdog::disarm() {
  const std::lock_guard lock(mutex_);
  deadline_.seconds = 0;
}

void Watchdog::kick() {
  if (watched_.pulse != nullptr) watched_.pulse->count_progress();
  const std::lock_guard lock(mutex_);
  if (is_armed()) expiry_ = expiry_from_now();
}

Watchdog::Deadline Watchdog::current() const {
  const std::lock_guard lock(mutex_);
  return is_armed() ? deadline_ : Deadline{};
}

Watchdog::Clock::time_point Watchdog::expiry_from_now() const {
  constexpr double longest_seconds = 1e8;  // three years: keeps the clock's integers from overflowing
  const std::chrono::duration<double> left(std::clamp(deadline_.seconds, 0.0, longest_seconds));
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    if (!is_armed())
      changed_.wait(lock);
    else if (Clock::now() < expiry_)
      sleep(lock);
    else
      expire();
  }
}

void Watchdog::sleep(std::unique_lock<std::mutex>& lock) {
  const Clock::time_point wake_up = std::min(expiry_, Clock::now() + longest_sleep);  // kick moves expiry_ while this waits
  changed_.wait_until(lock, wake_up);
  if (Clock::now() > wake_up + late) expiry_ = expiry_from_now();
}

void Watchdog::expire() {
  if (watched_.is_excused && watched_.is_excused()) {
    expiry_ = Clock::now() + excuse_period;
    return;
  }
  const Deadline expired = std::exchange(deadline_, {});
  on_expiry_(expired.phase, expired.seconds);
}

WatchdogPhase::WatchdogPhase(Watchdog& watchdog, std::string phase, double seconds)
    : watchdog_(watchdog), outer_(watchdog.current()) {
  watchdog_.arm(std::move(phase), seconds);
}

WatchdogPhase::~WatchdogPhase() { watchdog_.arm(std::move(outer_.phase), outer_.seconds); }

}  // namespace parconv
