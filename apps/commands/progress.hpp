// SPDX-License-Identifier: Apache-2.0
// Progress of a run: a line that is updated on a terminal, occasional lines elsewhere.
#pragma once

#include <chrono>

#include "parconv/core/types.hpp"

namespace parconv::app {

/// Writes to standard error, on one rank only.
class Progress {
 public:
  enum class Output { Silent, Shown };

  Progress(index_t total_samples, Output output);

  /// Reports the number of completed samples.
  void update(index_t samples);
  /// Ends the line on a terminal.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  index_t total_;
  bool is_shown_;
  bool is_terminal_;
  bool has_line_ = false;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = Clock::now();
};

}  // namespace parconv::app
