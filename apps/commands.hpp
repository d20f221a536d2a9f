// The subcommands. Each returns the exit code of the process.
#pragma once

#include "app_job.hpp"
#include "options.hpp"

namespace parconv::app {

/// `parconv_app` alone: every split on the ranks of the job, checked. Collective.
int demonstrate(AppJob& job, const DemoOptions& options);

/// `parconv_app run`. Collective.
int run(AppJob& job, const RunOptions& options);

/// `parconv_app run --dry-run` for `ranks` ranks. Local; prints, and writes the plan.
int dry_run(const RunOptions& options, int ranks);

/// `parconv_app inspect`. Local; prints.
int inspect(const InspectOptions& options);

}  // namespace parconv::app
