// SPDX-License-Identifier: Apache-2.0
// A job as the launcher started it: errors are printed once for all ranks, which all end with the same exit code.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fault.hpp"
#include "job_voice.hpp"
#include "last_resort.hpp"
#include "parconv/comm/heartbeat/heartbeat.hpp"
#include "parconv/session/job/job_context.hpp"
#include "signals.hpp"
#include "stop_requests.hpp"

namespace parconv::app {

/// Exists from before MPI_Init until after MPI_Finalize, so that every wait in between has a deadline.
class LaunchedJob {
 public:
  /// Local. A wait without progress for `timeout_seconds` ends the job with exit code 76; 0: no deadline.
  explicit LaunchedJob(double timeout_seconds);
  /// After finish and MPI_Finalize: the first rank of each host ends after the others, so that one that stops at the very end is
  /// noticed.
  ~LaunchedJob();
  LaunchedJob(const LaunchedJob&) = delete;
  LaunchedJob& operator=(const LaunchedJob&) = delete;

  /// After MPI_Init: connects the ranks. Collective.
  void start(const MpiEnvironment& environment);
  /// Before MPI_Finalize. From now on this process ends with `code`, also by SIGTERM. Collective.
  void finish(ExitCode code);

  /// Sets the requests to stop that this rank sees; the files are those of rank 0.
  void listen(StopRequests requests) { stop_requests_ = std::move(requests); }
  const StopRequests& stop_requests() const { return stop_requests_; }

  /// True if the fault alters the input of this rank in verification.
  bool alters_input() const;

  /// Precondition: between start and finish.
  JobContext& context() { return *context_; }
  bool is_root() const { return context_->is_root(); }

  /// Why heartbeats of other ranks are missing; empty if they are not.
  const std::string& note() const { return heartbeat_.note(); }

  /// Prints the error once for all ranks and ends them with its code. Its own errors are those of the last resort.
  [[noreturn]] void end(const std::exception_ptr& exception) noexcept;

 private:
  JobOptions options();
  void enter(JobPhase phase);
  void remove_files() noexcept;
  /// Removes files and returns whether this rank prints. Allocates nothing, and waits for no lock that this thread may hold.
  bool may_speak_without_memory() noexcept;
  /// Names what a failed job leaves.
  void print_kept();
  bool is_connected() const;
  std::string place_of(int rank) const;
  /// The error of an expired deadline.
  Error stalled(double seconds, const Diagnosis& diagnosis) const;
  void print_stalled(double seconds, const Diagnosis& diagnosis);
  [[noreturn]] void expire(double seconds) noexcept;
  /// Prints that a rank has died, unless another rank has printed.
  void report_death(int rank) const;
  [[noreturn]] void end_after_death(int rank) noexcept;
  void before_termination();
  [[noreturn]] void leave(ExitCode code);

  double timeout_seconds_;
  bool exit_ends_job_;
  bool has_finished_ = false;
  // srun -K ends the other ranks by SIGTERM as soon as one has ended with another code than 0.
  std::atomic<int> decided_code_ = -1;
  std::vector<char> reserve_;  // freed for the message of an error, which may be a lack of memory
  InjectedFault fault_{};
  std::uint32_t entered_phases_ = 0;  // a bit for each
  StopRequests stop_requests_{};
  JobVoice voice_{};
  TerminationWatch termination_;
  Heartbeat heartbeat_;
  FatalSignalNotes signals_{};
  Watchdog watchdog_;           // of MPI_Init and MPI_Finalize
  mutable std::mutex mutex_{};  // of the two members below, for the threads that report
  std::vector<std::string> host_names_{};
  std::unique_ptr<JobContext> context_{};
  LastResort last_resort_;
};

}  // namespace parconv::app
