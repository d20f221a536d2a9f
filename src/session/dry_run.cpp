// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/dry_run.hpp"

#include <optional>

#include "parconv/core/error.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/program/compile.hpp"
#include "parconv/session/compile_options.hpp"
#include "parconv/session/devices/gpu_memory.hpp"
#include "parconv/session/devices/known_gpus.hpp"
#include "parconv/session/numerics.hpp"

namespace parconv {
namespace {

bool computes_on_gpus(const Request& request, const DryRunMachine& machine) {
  if (request.devices.device != DeviceChoice::Auto) return request.devices.device == DeviceChoice::Cuda;
  const TransportChoice transport = request.devices.transport;
  const bool is_between_gpus = transport == TransportChoice::Nccl || transport == TransportChoice::Staged;
  return request.numerics == Numerics::Tf32 || is_between_gpus || !machine.gpu.empty();
}

void require_possible(const Request& request, const DryRunMachine& machine) {
  if (machine.hosts > machine.ranks)
    throw Error(ExitCode::Usage,
                concat("--hosts ", machine.hosts, " needs at least as many ranks, but there are ", machine.ranks),
                "Use --ranks.");
  if (!machine.gpu.empty() && request.devices.device == DeviceChoice::Cpu)
    throw Error(ExitCode::Usage, concat("--gpu ", machine.gpu, " cannot be combined with --device cpu"),
                "Leave one of them out.");
}

/// The offers of all ranks of the machine.
std::vector<RankOffer> offers_of(const DryRunMachine& machine, bool has_gpus) {
  std::vector<RankOffer> offers;
  for (int rank = 0; rank < machine.ranks; ++rank) {
    RankOffer offer{.host = concat("host", index_t{rank} * machine.hosts / machine.ranks)};
    if (has_gpus) {
      offer.gpu_name = machine.gpu.empty() ? "GPU" : std::string(known_gpu(machine.gpu).name);
      offer.gpu_uuid = concat("gpu", rank);
    }
    offers.push_back(std::move(offer));
  }
  return offers;
}

DevicePlacement placement_on(const Request& request, const std::vector<RankOffer>& offers, bool has_gpus) {
  return choose_placement({.device = has_gpus ? DeviceChoice::Cuda : DeviceChoice::Cpu,
                           .transport = request.devices.transport,
                           .shares_gpus = request.devices.shares_gpus,
                           .is_mpi_cuda_aware = true},  // unknown for the assumed machine
                          offers);
}

/// A dry run assumes that the whole GPU memory is free.
void require_memory_for(const std::vector<Program>& programs, const std::vector<RankOffer>& offers, std::size_t gpu_bytes) {
  std::vector<MemoryNeed> needs;
  for (const Program& program : programs) {
    const MemoryUse use = known_memory(program);
    needs.push_back({.data_bytes = use.arena_bytes + use.staging_bytes, .weight_bytes = use.weight_bytes});
  }
  for (const Program& program : programs)
    require_memory(offers, needs, program.rank, {.free_bytes = gpu_bytes, .total_bytes = gpu_bytes});
}

}  // namespace

DryRun dry_run(const Request& request, const Workload& workload, const DryRunMachine& machine) {
  require_possible(request, machine);
  const bool has_gpus = computes_on_gpus(request, machine);
  const std::vector<RankOffer> offers = offers_of(machine, has_gpus);
  DryRun run{.placement = placement_on(request, offers, has_gpus)};
  require_available(request.numerics, run.placement);
  run.setup = set_up(request, workload, machine.ranks);
  validate(run.setup.plan, run.setup.network);
  const CompileTarget target{.rules = memory_rules_on(run.placement.device, request.backend), .num_hosts = machine.hosts};
  run.layout = lay_out(run.setup.network, run.setup.plan, compile_options(request, run.setup, target));
  run.programs = compile_all(run.setup.network, run.layout);
  run.proof = prove(run.setup.network, run.programs, {.type = run.layout.options.type});
  expect_proven(run.proof);
  if (!machine.gpu.empty()) require_memory_for(run.programs, offers, known_gpu(machine.gpu).memory_bytes);
  return run;
}

}  // namespace parconv
