// SPDX-License-Identifier: Apache-2.0
// The subcommands. Each returns the exit code of the process.
#pragma once

#include "job/launched_job.hpp"
#include "options/command_line.hpp"
#include "parconv/session/dry_run.hpp"

namespace parconv::app {

/// `parconv_app` without a subcommand: every split on the ranks of the job, checked. Collective.
int demonstrate(LaunchedJob& job, const DemoCommand& command);

/// `parconv_app run`. Collective.
int run(LaunchedJob& job, const RunCommand& command);

/// `parconv_app run --dry-run` on `machine`. Local; prints, and writes the plan.
int print_dry_run(const RunCommand& command, const DryRunMachine& machine);

/// `parconv_app inspect`. Local; prints.
int inspect(const InspectCommand& command);

}  // namespace parconv::app
