// SPDX-License-Identifier: Apache-2.0
// A job over all ranks: phases that fail together, deadlines, and cancellation.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "parconv/comm/agreement.hpp"
#include "parconv/comm/coordinated.hpp"
#include "parconv/comm/heartbeat/heartbeat.hpp"
#include "parconv/comm/watchdog.hpp"
#include "parconv/core/types.hpp"
#include "parconv/session/job/job_phase.hpp"
#include "parconv/session/job/stop_reason.hpp"

namespace parconv {

/// Callbacks of an application. All are optional and local.
struct JobHooks {
  /// Called before each phase, and after each tick of a run, or step of a record, with the number done. An exception is an error
  /// of that phase.
  std::function<void(JobPhase phase, index_t ticks_done)> on_progress{};
  /// Whether this rank wants to end a run early. Asked before each phase that precedes the run, which ends with
  /// JobError(Stopped), and during a run: see Session::stop_reason. Set on all ranks or on none.
  std::function<StopReason()> stop_reason{};
  /// Called when this rank fails alone, while other ranks may be blocked in a message or in a collective call. Runs before
  /// anything is destroyed; an application ends the job here. If it returns, the error is thrown on this rank only.
  std::function<void(const std::exception_ptr& error, JobPhase phase)> on_lone_failure{};
  /// Called on the watchdog's thread when a phase exceeds its deadline; an application ends the process with _exit.
  Watchdog::Action on_expiry{};
};

/// Options of a job.
struct JobOptions {
  /// Deadline of a phase without progress; 0: none. Has an effect only with JobHooks::on_expiry.
  double timeout_seconds = 0;
  /// After a stop request on any rank, the next phase throws JobError(Stopped) on all ranks. A block in progress is completed.
  std::stop_token stop{};
  JobHooks hooks{};
  /// Publishes phases, layers and waits, and excuses a rank that waits for one that gets on. Optional; connected by the caller.
  /// Must outlive the job.
  Heartbeat* heartbeat = nullptr;
};

/// The ranks of a job, and its phases.
class JobContext {
 public:
  /// Uses all ranks of the job. Collective. `environment` must outlive the context.
  explicit JobContext(const MpiEnvironment& environment, JobOptions options = {});
  /// Uses the ranks of a group. Local.
  explicit JobContext(Control group, JobOptions options = {});

  Control& control() { return control_; }
  const Control& control() const { return control_; }
  int rank() const { return control_.rank(); }
  int size() const { return control_.size(); }
  bool is_root() const { return control_.rank() == 0; }
  Watchdog& watchdog() { return watchdog_; }

  /// Runs `work` on all ranks and returns its result; if it throws on one, all throw the same JobError. Collective.
  /// `extra_seconds` is added to the deadline.
  template <class Work>
  auto together(JobPhase phase, Work&& work, double extra_seconds = 0) {
    const WatchdogPhase watched(watchdog_, name_of(phase), deadline(extra_seconds));
    publish(phase);
    coordinated(control_, name_of(phase), [&] { enter(phase); });
    return coordinated(control_, name_of(phase), work);
  }

  /// Throws the same JobError(Config) on all ranks unless they pass equal facts; see parconv::require_agreement. Collective.
  void require_agreement(JobPhase phase, std::span<const Fact> facts);

  /// Runs `work`, in which ranks synchronise by messages only. A rank that throws calls on_lone_failure. Local.
  template <class Work>
  void in_messages(JobPhase phase, Work&& work) {
    const WatchdogPhase watched(watchdog_, name_of(phase), deadline(0));
    publish(phase);
    try {
      report_progress(phase, 0);
      work();
    } catch (...) {
      report_lone_failure(phase);
      throw;
    }
  }

  /// Runs `work`, which makes collective calls, and agrees by itself on the failures that it expects. A rank that throws anything
  /// but a JobError is out of step with the others and calls on_lone_failure: an agreement would meet another call of theirs.
  /// Collective. `extra_seconds` as for together.
  template <class Work>
  auto in_collectives(JobPhase phase, Work&& work, double extra_seconds = 0) {
    const WatchdogPhase watched(watchdog_, name_of(phase), deadline(extra_seconds));
    publish(phase);
    coordinated(control_, name_of(phase), [&] { enter(phase); });
    try {
      return work();
    } catch (const JobError&) {
      throw;
    } catch (...) {
      report_lone_failure(phase);
      throw;
    }
  }

  /// Throws JobError(Stopped) on all ranks after a stop request on any. Collective.
  void require_not_stopped(JobPhase phase);

  /// The reason of all ranks to stop, by JobHooks::stop_reason. Collective if there is such a hook.
  StopReason agree_on_stop();
  const std::function<StopReason()>& stop_hook() const { return options_.hooks.stop_reason; }
  /// From now on reasons to stop end no phase, only a run between its samples. Local, on all ranks.
  void begin_stopping_gracefully() { stops_gracefully_ = true; }

  /// Reports progress after a tick of a run. Local.
  void tick(index_t ticks_done);
  /// Reports a step of a record. Local.
  void record_step(index_t step) const { report_progress(JobPhase::Record, step); }

  /// The pulse of this rank; null without a heartbeat.
  RankPulse* pulse() { return options_.heartbeat == nullptr ? nullptr : &options_.heartbeat->pulse(); }
  /// For the time of a collective call of a library that works and waits, such as HDF5. Local.
  ActivityScope in_library() { return {pulse(), Activity::Library}; }
  /// Names the layers of the pulses, by node. Local.
  void name_layers(std::vector<std::string> names);
  /// The name of a layer; empty if it has none. Local, any thread.
  std::string layer_name(int node) const;

  /// Registers a file that an application removes when the job fails; keep_files clears the list. `note` tells the user of a
  /// failing job what is left and how to go on.
  void remove_on_failure(std::string path) { partial_files_.push_back(std::move(path)); }
  void keep_files(std::string note = {}) {
    partial_files_.clear();
    kept_note_ = std::move(note);
  }
  const std::string& kept_note() const { return kept_note_; }
  const std::vector<std::string>& partial_files() const { return partial_files_; }

 private:
  double deadline(double extra_seconds) const;
  void publish(JobPhase phase);
  void enter(JobPhase phase);
  void throw_if_stopped(JobPhase phase) const;
  void report_progress(JobPhase phase, index_t ticks_done) const;
  /// Of the exception that is handled.
  void report_lone_failure(JobPhase phase) const;

  Control control_;
  JobOptions options_;
  std::vector<std::string> partial_files_{};
  std::string kept_note_{};
  bool stops_gracefully_ = false;
  mutable std::mutex names_mutex_{};
  std::vector<std::string> layer_names_{};
  Watchdog watchdog_;
};

}  // namespace parconv
