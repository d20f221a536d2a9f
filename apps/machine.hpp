// What the launcher and the machine say about this process, before MPI runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parconv/comm/control.hpp"

namespace parconv::app {

/// This process's rank as the launcher (mpirun, srun) gave it in the environment; 0 without one. For output that is printed once
/// by commands that start no MPI.
int launched_rank();

/// True if a launcher started this process.
bool is_launched();

/// Threads for one rank: the cores that it is bound to, or its share of a host that nobody divided.
int default_threads(const Control& control);
int default_threads_alone();

/// The cores that this process may run on, in order.
std::vector<int> cores_allowed();

/// Number of different hosts.
int num_hosts(const Control& control);

/// "AMD EPYC 7763 64-Core Processor", or "unknown CPU".
std::string cpu_name();
int num_cores();

/// The largest memory that this process has had in use.
index_t peak_process_bytes();

}  // namespace parconv::app
