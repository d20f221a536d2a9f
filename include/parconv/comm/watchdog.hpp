// SPDX-License-Identifier: Apache-2.0
// A deadline for each phase of a job, so that a deadlock ends with an error.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "parconv/comm/heartbeat/pulse.hpp"

namespace parconv {

/// A thread that runs an action when a phase exceeds its deadline. It calls no MPI and blocks all signals. If the process was
/// stopped meanwhile (SIGSTOP, a suspended job), the time limit starts anew. All methods are local and thread-safe.
class Watchdog {
 public:
  /// Called on expiry, on the watchdog's thread; must not throw and must not call the watchdog. Applications print and end the
  /// process with _exit(76), since destructors would block.
  using Action = std::function<void(const std::string& phase, double seconds)>;

  /// A phase and its time limit; not watched if `seconds` <= 0.
  struct Deadline {
    std::string phase{};
    double seconds = 0;
    friend bool operator==(const Deadline&, const Deadline&) = default;
  };

  /// Additions to a watchdog, both optional.
  struct Watched {
    /// Asked when the time is over, on the watchdog's thread and under the conditions of Action; true: not yet. It is then asked
    /// again after a quarter of a second.
    std::function<bool()> is_excused{};
    /// Counts kicks as progress.
    RankPulse* pulse = nullptr;
  };

  explicit Watchdog(Action on_expiry) : Watchdog(std::move(on_expiry), Watched{}) {}
  Watchdog(Action on_expiry, Watched watched);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Watches `phase` from now on and replaces any other; seconds <= 0 watches nothing. The action runs at most once per call.
  void arm(std::string phase, double seconds);
  /// Watches nothing. No action starts after this call returns; blocks until a running one ends.
  void disarm();
  /// Restarts the time limit of the current phase. Cheap, allocates nothing. No effect when nothing is watched.
  void kick();
  /// The current deadline.
  Deadline current() const;

 private:
  using Clock = std::chrono::steady_clock;

  void watch();
  void sleep(std::unique_lock<std::mutex>& lock);
  void expire();
  bool is_armed() const { return deadline_.seconds > 0; }
  Clock::time_point expiry_from_now() const;

  Action on_expiry_;
  Watched watched_;
  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  Deadline deadline_{};
  Clock::time_point expiry_{};
  bool is_stopping_ = false;
  std::thread thread_{};
};

/// Arms the watchdog for a scope. At its end the enclosing phase is armed again with its full time limit.
class WatchdogPhase {
 public:
  WatchdogPhase(Watchdog& watchdog, std::string phase, double seconds);
  ~WatchdogPhase();
  WatchdogPhase(const WatchdogPhase&) = delete;
  WatchdogPhase& operator=(const WatchdogPhase&) = delete;

 private:
  Watchdog& watchdog_;
  Watchdog::Deadline outer_;
};

}  // namespace parconv
