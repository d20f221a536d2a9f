// SPDX-License-Identifier: Apache-2.0
// parconv_app run --dry-run: the plan, programs and costs of a run, for any number of ranks and hosts.
#include <fmt/format.h>

#include <array>

#include "commands.hpp"
#include "parconv/io/json/plan_json.hpp"
#include "parconv/io/text_files.hpp"
#include "parconv/program/explain.hpp"
#include "parconv/session/files/input_files.hpp"

namespace parconv::app {
namespace {

/// "8 x H200 on 2 hosts, messages: NCCL"; empty for CPUs of one host.
std::string machine_text(const DryRun& run, const DryRunMachine& machine) {
  const bool has_gpus = run.placement.device == DeviceKind::Gpu;
  if (!has_gpus && machine.hosts == 1) return {};
  const std::string device = !has_gpus ? "CPUs" : machine.gpu.empty() ? "GPUs" : "GPUs (" + machine.gpu + ")";
  return fmt::format("{} on {} host{}, messages: {}, overlap {}\n", device, machine.hosts, machine.hosts == 1 ? "" : "s",
                     name_of(run.placement.transport), run.layout.options.overlap == Overlap::On ? "on" : "off");
}

/// Where a run can be stopped and resumed.
std::string blocks_text(index_t samples) {
  if (samples > 1) return fmt::format("progress is recorded in {} blocks: the samples\n", samples);
  return "progress is recorded in 1 block, the only sample: a run that is stopped within it begins anew\n";
}

void print(const RunCommand& command, const DryRunMachine& machine, const Workload& workload, const DryRun& run) {
  const Blocks& blocks = run.setup.blocks;
  fmt::print("{} and {}, split {}: {} samples in batches of {} and micro-batches of {}\n", workload.model_name,
             workload.input_names, run.setup.split, blocks.samples, blocks.batch, blocks.micro_batch);
  fmt::print("{}", machine_text(run, machine));
  fmt::print("{}", blocks_text(blocks.samples));
  fmt::print("{}", explain(run.setup.network, run.setup.plan, run.layout, run.programs, {.lists_ranks = command.is_verbose()}));
}

std::vector<NamedFile> read_files(const Request& request, const OnnxModel& model, const InputFiles& inputs) {
  std::vector<NamedFile> files = model.files();
  for (const NamedFile& file : inputs.files()) files.push_back(file);
  if (!request.plan_file.empty()) files.push_back({"--plan", request.plan_file});
  return files;
}

}  // namespace

int print_dry_run(const RunCommand& command, const DryRunMachine& machine) {
  const OnnxModel model(command.request.model);
  InputFiles inputs(command.request.inputs, model);
  const Workload workload = workload_of(model, inputs, command.request);
  const DryRun run = dry_run(command.request, workload, machine);
  if (!command.is_quiet()) {
    print(command, machine, workload, run);
    fmt::print("{}\n", to_string(run.proof));
  }
  const std::string& asked = command.dry_run.plan_file;
  const std::string path = asked.empty() ? command.request.output_file + ".plan.json" : asked;
  require_apart(read_files(command.request, model, inputs), std::array{NamedFile{"--plan-out", path}});
  write_text_file(path, plan_to_json(run.setup.plan, run.setup.network));
  if (!command.is_quiet()) fmt::print("plan written: {} (edit it, and run with --plan)\n", path);
  return static_cast<int>(ExitCode::Ok);
}

}  // namespace parconv::app
