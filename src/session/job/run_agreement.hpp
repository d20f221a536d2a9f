// SPDX-License-Identifier: Apache-2.0
// Agreement of all ranks, during a run, on when to record its progress and when to stop.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "parconv/comm/pending_max.hpp"
#include "parconv/session/job/stop_reason.hpp"

namespace parconv {

struct RunAgreementOptions {
  std::function<StopReason()> stop_reason{};  ///< of this rank
  double record_seconds = 0;                  ///< between records; 0: none
};

struct RunDecision {
  StopReason stop = StopReason::None;
  bool is_record_due = false;
};

/// A reduction that ranks start after one tick and finish after a later one, so that none waits for a slower rank in the tick at
/// hand. Ticks of less than 50 ms share one reduction; their number follows from the ticks of all ranks, and is the same on all.
class RunAgreement {
 public:
  RunAgreement(Control& control, RunAgreementOptions options);

  /// Called by all ranks after the same ticks. A decision is that of all ranks.
  std::optional<RunDecision> after_tick();
  /// Called by all ranks after the last tick of a run: finishes what is pending.
  RunDecision settle();
  /// Restarts the time to the next record.
  void note_record() { recorded_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;

  void start();
  RunDecision finish();

  RunAgreementOptions options_;
  bool is_timekeeper_;  ///< one clock decides
  PendingMax pending_;
  index_t ticks_ = 0;
  index_t interval_ticks_ = 1;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point recorded_ = Clock::now();
};

}  // namespace parconv
