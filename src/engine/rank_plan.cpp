// SPDX-License-Identifier: Apache-2.0
#include "parconv/engine/rank_plan.hpp"

#include "parconv/core/error.hpp"
#include "parconv/program/compile.hpp"
#include "parconv/program/proof.hpp"

namespace parconv {
namespace {

/// Proves the programs of all ranks, one at a time, and returns that of rank 0.
Program compile_and_prove(const Network& network, const Layout& layout) {
  Prover prover(network, layout.num_ranks, {.type = layout.options.type});
  Program first = compile(network, layout, 0);
  prover.add(first);
  for (int rank = 1; rank < layout.num_ranks; ++rank) prover.add(compile(network, layout, rank));
  expect_proven(prover.finish());
  return first;
}

}  // namespace

RankPlan make_rank_plan(Network network, Plan plan, const CompileOptions& options, int rank) {
  validate(plan, network);
  RankPlan job{.network = std::move(network), .plan = std::move(plan)};
  job.layout = lay_out(job.network, job.plan, options);
  job.program = rank == 0 ? compile_and_prove(job.network, job.layout) : compile(job.network, job.layout, rank);
  return job;
}

Plan plan_for_samples(const Plan& plan, const Network& network) {
  return make_plan(network, plan_partitioner(plan), plan.num_ranks);
}

}  // namespace parconv
