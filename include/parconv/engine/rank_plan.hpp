// SPDX-License-Identifier: Apache-2.0
// A network prepared for the ranks of a job: planned, compiled and proven.
#pragma once

#include "parconv/compute/backend.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/program/program.hpp"

namespace parconv {

/// One rank's network, plan and program. Engines refer to `network`: the RankPlan must not move while one exists.
struct RankPlan {
  Network network{};
  Plan plan{};
  Layout layout{};
  Program program{};
};

/// Validates the plan and compiles the program of `rank`. Pure. Rank 0 compiles the programs of all ranks, one at a time, and
/// proves them (Prover); the caller makes all ranks agree on the outcome. Throws Error(BadData) for a plan that does not fit
/// the network, and Bug with the findings of the proof.
RankPlan make_rank_plan(Network network, Plan plan, const CompileOptions& options, int rank);

/// The plan for another number of samples: grids, stages and cuts are kept, samples are cut anew.
Plan plan_for_samples(const Plan& plan, const Network& network);

}  // namespace parconv
