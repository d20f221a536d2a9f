// SPDX-License-Identifier: Apache-2.0
// A job as the launcher started it: errors are printed once for all ranks, which all end with the same exit code.
#pragma once

#include <exception>
#include <string>

#include "fault.hpp"
#include "parconv/session/job_context.hpp"
#include "stop_requests.hpp"

namespace parconv::app {

/// Prints an error with its place and hint to standard error.
void print_error(const Error& error, const std::string& place = {});

class LaunchedJob {
 public:
  /// Collective. A phase without progress for `timeout_seconds` ends the job with exit code 76; 0: no deadline.
  LaunchedJob(const MpiEnvironment& environment, double timeout_seconds);

  /// Sets the requests to stop that this rank sees; the files are those of rank 0.
  void listen(StopRequests requests) { stop_requests_ = std::move(requests); }
  const StopRequests& stop_requests() const { return stop_requests_; }

  /// Reads the fault requested by the environment. Collective.
  void read_fault();
  /// True if the fault alters the input of this rank in verification.
  bool alters_input() const;

  JobContext& context() { return context_; }
  bool is_root() const { return context_.is_root(); }

  /// Prints the error once for all ranks and ends them with its code.
  [[noreturn]] void end(const std::exception_ptr& exception, const std::string& phase = "starting");

 private:
  JobOptions options(double timeout_seconds);
  void remove_files() noexcept;
  /// Names what a failed job leaves.
  void print_kept() const;
  /// True for the first caller on this host. Other ranks of the host wait, and hosts take turns.
  bool may_speak();
  [[noreturn]] void expire(const std::string& phase, double seconds);

  InjectedFault fault_{};
  StopRequests stop_requests_{};
  JobContext context_;
  std::string name_;  // the same on all ranks, of no other job
};

}  // namespace parconv::app
