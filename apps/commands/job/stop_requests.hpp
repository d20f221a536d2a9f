// SPDX-License-Identifier: Apache-2.0
// Requests to end a run early: SIGUSR1, --max-time and a stop file.
#pragma once

#include <string>

#include "parconv/session/job/stop_reason.hpp"

namespace parconv::app {

/// Makes SIGUSR1 a request; called before MPI starts. The time of --max-time begins here.
void listen_for_stop_requests();

/// The requests that this rank sees.
class StopRequests {
 public:
  struct Options {
    double max_seconds = 0;  ///< 0: no limit
    std::string file{};      ///< asked for at most once a second; empty: none
  };

  StopRequests() = default;
  explicit StopRequests(Options options) : options_(std::move(options)) {}

  StopReason reason();
  /// "SIGUSR1", "--max-time 60" or "the file out.h5.stop".
  std::string text(StopReason reason) const;
  /// Removes the stop file if it was seen: it has been obeyed.
  void obey() const;

 private:
  bool has_file();

  Options options_{};
  double asked_seconds_ = -1;
  bool has_seen_file_ = false;
};

/// The file whose appearance stops a run.
inline std::string stop_file_of(const std::string& output) { return output + ".stop"; }

}  // namespace parconv::app
