// SPDX-License-Identifier: Apache-2.0
// The collective phases of a job, in order.
#pragma once

#include <string>

namespace parconv {

enum class JobPhase { Start, Place, Read, Open, Plan, Check, Create, Prepare, Verify, Run, Record, Finish, Report, End };

/// The name of a phase in errors: "starting", "choosing devices", ...
std::string name_of(JobPhase phase);

}  // namespace parconv
