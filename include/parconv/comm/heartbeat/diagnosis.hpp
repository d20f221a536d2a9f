// SPDX-License-Identifier: Apache-2.0
// Which rank the others wait for, from what all ranks publish.
#pragma once

#include <span>
#include <string>

#include "parconv/comm/heartbeat/pulse.hpp"

namespace parconv {

/// A rank as seen from here. Times are those in which the observer itself was running.
struct RankView {
  Pulse pulse{};
  double silent_seconds = 0;  ///< since the last beat
  bool is_silent = false;     ///< for longer than a lively rank
  double still_seconds = 0;   ///< since the last change of phase, progress or meetings
  bool is_idle = false;       ///< the main thread has used no CPU time lately
};

/// The reason why a rank is named.
enum class Symptom {
  None,     ///< no rank stands out
  Gone,     ///< the process does not exist any more
  Stopped,  ///< by a signal or a debugger
  Silent,   ///< its helper thread does not beat: stopped, swapped out, or its host is unreachable
  Busy,     ///< it is the one that waits for nobody
  Behind    ///< it waits like all others, but has come the least far
};

struct Diagnosis {
  Symptom symptom = Symptom::None;
  int rank = -1;
  double still_seconds = 0;  ///< of that rank

  friend bool operator==(const Diagnosis&, const Diagnosis&) = default;
};

/// Names the rank that the others wait for. Pure. The first rule that holds decides, and the lowest rank among equals:
///   1. a process that is gone without having ended;
///   2. a process that is stopped;
///   3. a silent rank, the longest one;
///   4. a rank that waits in no communication: in a call of a library only if nothing else works, and then one that idles before
///      one that polls; of several, the one with the fewest meetings, then the one that has stood still for longest;
///   5. the rank with the fewest meetings, if not all have as many;
///   6. a rank that has ended, but whose process still exists, and before others one that is stopped.
Diagnosis diagnose(std::span<const RankView> ranks);

/// "is stopped by a signal", to follow the name of a rank.
std::string text_of(Symptom symptom);

}  // namespace parconv
