// A deadline for each phase of a job, so that no rank waits for ever.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace parconv {

/// A thread that acts when a phase passes its deadline. It calls no MPI and takes no signals. All methods are local and may be
/// called by any thread.
class Watchdog {
 public:
  /// What happens on expiry; an application prints and ends the process with _exit(76), since destructors would wait. Runs on the
  /// watchdog's thread, must not throw and must not call the watchdog.
  using Action = std::function<void(const std::string& phase, double seconds)>;

  /// A phase and the seconds it has; not watched if `seconds` is not above 0.
  struct Deadline {
    std::string phase{};
    double seconds = 0;
    friend bool operator==(const Deadline&, const Deadline&) = default;
  };

  explicit Watchdog(Action on_expiry);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Watches `phase` from now on, instead of any other; seconds <= 0 watches nothing. The action runs at most once for each call.
  void arm(std::string phase, double seconds);
  /// Watches nothing. No action begins after this call returns; waits for one that has begun.
  void disarm();
  /// The phase makes progress: it has all its seconds again. Cheap, allocates nothing. No effect when nothing is watched.
  void kick();
  /// What is watched now.
  Deadline current() const;

 private:
  using Clock = std::chrono::steady_clock;

  void watch();
  bool is_armed() const { return deadline_.seconds > 0; }
  Clock::time_point expiry_from_now() const;

  Action on_expiry_;
  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  Deadline deadline_{};
  Clock::time_point expiry_{};
  bool is_stopping_ = false;
  std::thread thread_{};
};

/// Arms the watchdog for a scope. At its end the phase around it is watched again, with all its seconds.
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
