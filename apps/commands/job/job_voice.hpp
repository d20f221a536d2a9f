// SPDX-License-Identifier: Apache-2.0
// One error message for all ranks of a job.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "parconv/comm/control.hpp"
#include "parconv/core/error.hpp"

namespace parconv::app {

/// Prints an error with its place and hint to standard error.
void print_error(const Error& error, const std::string& place = {});

/// Decides which rank prints. Local, any thread, without MPI.
class JobVoice {
 public:
  /// The ranks of a host that the launcher started together, as far as its environment names the job.
  JobVoice();

  /// From now on the ranks of `control`. Collective.
  void join(Control& control);

  /// True for the first caller on this host, which keeps its turn until it ends. Hosts take turns, the first at once.
  bool may_speak() const;
  /// The same for what all hosts report, that `hanging_rank` (-1: unknown) hangs. The other ranks of its host know best and come
  /// first. Other hosts wait until the launcher should have ended the job after a rank that spoke `speech` ago.
  bool may_speak_of_hang(int hanging_rank) const;
  /// Time that a rank stays after its report of a hang, so that late ranks of its host find its name taken. Other hosts wait for
  /// it.
  std::chrono::milliseconds speech() const;
  /// The same without waiting for a turn, for what only this host knows.
  bool may_speak_at_once() const;

 private:
  mutable std::mutex mutex_{};
  std::string name_;
  std::vector<int> hosts_{};  // of the ranks
  int host_ = 0;
};

}  // namespace parconv::app
