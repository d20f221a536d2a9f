// parconv_app run --dry-run: what would be done, for any number of ranks.
#include <fmt/format.h>

#include "commands.hpp"
#include "machine.hpp"
#include "parconv/io/plan_json.hpp"
#include "parconv/program/check.hpp"
#include "parconv/program/compile.hpp"
#include "parconv/program/explain.hpp"
#include "run_setup.hpp"

namespace parconv::app {

int dry_run(const RunOptions& options, int ranks) {
  require_available(options, {.device = options.devices.device == "cpu" ? DeviceKind::Cpu : DeviceKind::Gpu});
  const OnnxModel model(options.model);
  const Inputs inputs(options, model);
  const RunSetup setup = set_up(options, model, inputs, ranks);
  const auto backend = make_backend({.threads = 1});
  const Layout layout = lay_out(setup.network, setup.plan, compile_options(options, setup, *backend, false));
  const std::vector<Program> programs = compile_all(setup.network, layout);
  check(programs);
  if (!options.is_quiet) {
    fmt::print("{} and {}, split {}: {} samples in batches of {} and micro-batches of {}\n", options.model, inputs.names(),
               setup.split, setup.blocks.samples, setup.blocks.batch, setup.blocks.micro_batch);
    fmt::print("{}", explain(setup.network, setup.plan, layout, programs, {.lists_ranks = options.is_verbose}));
  }
  const std::string path = options.plan_out.empty() ? options.output + ".plan.json" : options.plan_out;
  write_text_file(path, plan_to_json(setup.plan, setup.network));
  if (!options.is_quiet) fmt::print("plan written: {} (edit it, and run with --plan)\n", path);
  return static_cast<int>(ExitCode::Ok);
}

}  // namespace parconv::app
