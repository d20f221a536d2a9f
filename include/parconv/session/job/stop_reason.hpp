// SPDX-License-Identifier: Apache-2.0
// Reasons to end a run before its last sample.
#pragma once

namespace parconv {

/// Of several reasons of the ranks, the last one listed counts.
enum class StopReason { None, StopFile, MaxTime, Signal };

}  // namespace parconv
