// SPDX-License-Identifier: Apache-2.0
// Dry runs of a job, for any number of ranks and hosts, without MPI and without the devices.
#pragma once

#include <string>
#include <vector>
#include "parconv/program/proof.hpp"

#include "parconv/program/program.hpp"
#include "parconv/session/devices/device_placement.hpp"
#include "parconv/session/request.hpp"
#include "parconv/session/setup.hpp"

namespace parconv {

/// The assumed machine of a dry run. Consecutive ranks fill a host; with GPUs, every rank has one of its own.
struct DryRunMachine {
  int ranks = 1;
  int hosts = 1;
  std::string gpu{};  ///< see known_gpu; empty: GPU memory is unknown and not checked
};

/// The decisions and programs of a dry run.

struct DryRun {
  Setup setup{};
  DevicePlacement placement{};
  Layout layout{};
  std::vector<Program> programs{};  ///< of all ranks
  Proof proof{};                    ///< holds
};

/// Plans, compiles and proves as a Session on this machine would. Local. DeviceChoice::Auto selects GPUs if one is named, or if
/// numerics or transport need them. Throws Error(Usage) for an impossible machine, and the errors of a session: Unavailable,
/// BadData, OutOfMemory.
DryRun dry_run(const Request& request, const Workload& workload, const DryRunMachine& machine);

}  // namespace parconv
