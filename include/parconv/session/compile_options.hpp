// SPDX-License-Identifier: Apache-2.0
// Compiler options of a job, shared by runs, verification and dry runs.
#pragma once

#include <span>
#include <string>

#include "parconv/compute/backend.hpp"
#include "parconv/program/options.hpp"
#include "parconv/session/devices/device_placement.hpp"
#include "parconv/session/request.hpp"
#include "parconv/session/setup.hpp"

namespace parconv {

/// The target that programs are compiled for.
struct CompileTarget {
  MemoryRules rules{};  ///< of the backend
  int num_hosts = 1;
};

/// Memory rules of the backend `name` (see BackendOptions) for a device, also in builds without that backend.
MemoryRules memory_rules_on(DeviceKind device, const std::string& name = "auto");

/// Resolves an overlap choice: Auto is on for num_hosts > 1.
Overlap overlap_of(OverlapChoice choice, int num_hosts);

/// The compiler options of a job. Local and pure. Throws Error(BadData) for an output whose extent along n is not proportional
/// to the samples, see output_extents.
CompileOptions compile_options(const Request& request, const Setup& setup, const CompileTarget& target);

}  // namespace parconv
