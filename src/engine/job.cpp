#include "parconv/engine/job.hpp"

#include "parconv/core/error.hpp"
#include "parconv/program/check.hpp"
#include "parconv/program/compile.hpp"

namespace parconv {
namespace {

void check_alone(const Program& program) {
  const std::vector<std::string> problems = problems_of(program);
  if (!problems.empty()) throw Bug(concat("the program of rank ", program.rank, " cannot run: ", problems.front()));
}

}  // namespace

Job make_job(Network network, Plan plan, const CompileOptions& options, int rank) {
  validate(plan, network);
  Job job{.network = std::move(network), .plan = std::move(plan)};
  job.layout = lay_out(job.network, job.plan, options);
  if (rank == 0 && job.plan.num_ranks <= max_ranks_checked_together) {
    std::vector<Program> programs = compile_all(job.network, job.layout);
    check(programs);
    job.program = std::move(programs.front());
  } else {
    job.program = compile(job.network, job.layout, rank);
    if (job.plan.num_ranks > max_ranks_checked_together) check_alone(job.program);
  }
  return job;
}

Plan plan_for_samples(const Plan& plan, const Network& network) {
  constexpr auto samples = static_cast<std::size_t>(Axis::N);
  Plan result = plan;
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    const Node& node = network.nodes[k];
    NodePlan& node_plan = result.nodes[k];
    if (node_plan.cuts[samples].back() == network.value(node.output).extents[Axis::N]) continue;
    node_plan.cuts[samples] = default_cuts(network, node, node_plan.grid)[samples];
  }
  return result;
}

}  // namespace parconv
