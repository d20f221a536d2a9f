// A network made ready for the ranks of a job: planned, compiled and checked.
#pragma once

#include "parconv/compute/backend.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/program/program.hpp"

namespace parconv {

/// What one rank keeps of a job. An engine refers to `network`: keep the Job where it is while one runs.
struct Job {
  Network network{};
  Plan plan{};
  Layout layout{};
  Program program{};
};

/// Jobs of more ranks check each program on its own rank only, not all of them together.
inline constexpr int max_ranks_checked_together = 512;

/// Validates the plan and compiles the program of `rank`. Pure. Rank 0 compiles and checks the programs of all ranks of jobs up
/// to max_ranks_checked_together; otherwise each rank checks its own. Throws Error(BadData) for a plan that does not fit, and
/// Bug.
Job make_job(Network network, Plan plan, const CompileOptions& options, int rank);

/// The plan for another number of samples: the same grids, stages and cuts, but new cuts of the samples.
Plan plan_for_samples(const Plan& plan, const Network& network);

}  // namespace parconv
