// One job of all ranks: phases that fail together, a watchdog, and an end that is told once.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "fault.hpp"
#include "parconv/comm/coordinated.hpp"
#include "parconv/comm/watchdog.hpp"

namespace parconv::app {

/// Prints an error with its place and what to do about it.
void print_error(const Error& error, const std::string& place = {});

class AppJob {
 public:
  /// Collective. A phase without progress for `timeout_seconds` ends the job with exit code 76; 0 waits for ever.
  AppJob(const MpiEnvironment& environment, double timeout_seconds);

  /// Reads the fault that the environment asks for. Collective.
  void read_fault();

  Control& control() { return control_; }
  int rank() const { return control_.rank(); }
  int size() const { return control_.size(); }
  bool is_root() const { return control_.rank() == 0; }
  Watchdog& watchdog() { return watchdog_; }
  const InjectedFault& fault() const { return fault_; }

  /// Files that a failing rank removes before the job ends.
  void remove_on_failure(std::string path) { partial_files_.push_back(std::move(path)); }
  void keep_files() { partial_files_.clear(); }

  /// Runs `work` on all ranks; if it throws on one, all throw the same JobError. `extra_seconds` is added to the time-out.
  template <class Work>
  auto together(Phase phase, Work&& work, double extra_seconds = 0) {
    const WatchdogPhase watched(watchdog_, name_of(phase), deadline(extra_seconds));
    coordinated(control_, name_of(phase), [&] { raise_if_due(phase, 0); });
    return coordinated(control_, name_of(phase), work);
  }

  /// Runs `work`, in which ranks meet in messages only: the first rank that throws ends the job.
  template <class Work>
  void in_messages(Phase phase, Work&& work) {
    const WatchdogPhase watched(watchdog_, name_of(phase), deadline(0));
    try {
      raise_if_due(phase, 0);
      work();
    } catch (...) {
      end(std::current_exception(), name_of(phase));
    }
  }

  /// For the ticks of a run: progress for the watchdog, and the fault that is due.
  void tick(index_t ticks_done);

  /// Tells the error once for all ranks and ends them with its code.
  [[noreturn]] void end(const std::exception_ptr& exception, const std::string& phase = "starting");

 private:
  double deadline(double extra_seconds) const { return timeout_seconds_ > 0 ? timeout_seconds_ + extra_seconds : 0; }
  void raise_if_due(Phase phase, index_t tick);
  void remove_files() noexcept;
  /// True for the first rank of its host that asks. Others, and hosts one after the other, wait.
  bool may_speak();
  [[noreturn]] void expire(const std::string& phase, double seconds);

  Control control_;
  std::string name_;  // the same on all ranks, of no other job
  double timeout_seconds_;
  InjectedFault fault_{};
  std::vector<std::string> partial_files_{};
  Watchdog watchdog_;
};

}  // namespace parconv::app
