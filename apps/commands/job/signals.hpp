// SPDX-License-Identifier: Apache-2.0
// Signals that end a rank.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "job_voice.hpp"
#include "parconv/comm/heartbeat/pulse.hpp"

namespace parconv::app {

/// Runs an action before SIGTERM ends the process, on a thread of its own. Launchers send SIGTERM to the other ranks as soon as
/// one has died, a second before SIGKILL. Created before any other thread: they inherit the blocked signal.
class TerminationWatch {
 public:
  explicit TerminationWatch(std::function<void()> before_end);
  /// Leaves SIGTERM blocked: the process is about to end with a code of its own.
  ~TerminationWatch();
  TerminationWatch(const TerminationWatch&) = delete;
  TerminationWatch& operator=(const TerminationWatch&) = delete;

 private:
  void wait();

  std::function<void()> before_end_;
  bool is_watching_ = false;  // false where SIGTERM is ignored
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_{};
};

/// While it exists, SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT note their number in a pulse before they take the effect that
/// they had. While HDF5 reads a file, they end the process as an error of that file (exit code 65): HDF5 1.10 crashes on some
/// damaged files. One per process; pulse and voice must outlive it.
class FatalSignalNotes {
 public:
  FatalSignalNotes() = default;
  ~FatalSignalNotes();
  FatalSignalNotes(const FatalSignalNotes&) = delete;
  FatalSignalNotes& operator=(const FatalSignalNotes&) = delete;

  /// Called after MPI_Init, in which MPI libraries take these signals. Without a job both are null.
  void start(RankPulse* pulse, const JobVoice* voice);
};

/// "SIGSEGV"; "signal 99" if it has no name.
std::string signal_name(int signal);

}  // namespace parconv::app
