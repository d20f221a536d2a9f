// SPDX-License-Identifier: Apache-2.0
// The hosts, cores and memory of the ranks.
#pragma once

#include <string>
#include <vector>

#include "parconv/comm/control.hpp"

namespace parconv {

/// Threads for one rank: the number of cores that it is bound to, or, without binding, its part of the host's cores. Local.
int default_threads(const Control& control);

/// The cores in the affinity mask of this process, ascending. Local.
std::vector<int> cores_allowed();

/// Number of hosts of the job.
int num_hosts(const Control& control);

/// "AMD EPYC 7763 64-Core Processor", or "unknown CPU".
std::string cpu_name();
/// Number of cores of this host (std::thread::hardware_concurrency). Local.
int num_cores();

/// Peak resident memory of this process in bytes. Local.
index_t peak_process_bytes();

}  // namespace parconv
