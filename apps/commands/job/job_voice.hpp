// SPDX-License-Identifier: Apache-2.0
// One error message for all ranks of a job.
#pragma once

#include <mutex>
#include <string>

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
  /// The same without waiting for a turn, for what only this host knows.
  bool may_speak_at_once() const;

 private:
  mutable std::mutex mutex_{};
  std::string name_;
  int host_ = 0;
};

}  // namespace parconv::app
