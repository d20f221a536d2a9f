// SPDX-License-Identifier: Apache-2.0
// Detection of the launcher (mpirun, srun) by its environment variables, before MPI is initialised.
#pragma once

#include <optional>
#include <string>

namespace parconv::app {

/// This process's rank; 0 without a launcher. For output that is printed once by commands that start no MPI.
int launched_rank();

/// True if a launcher started this process.
bool is_launched();

/// A launcher that started several processes of which MPI knows nothing: each of them is a job of its own.
struct ForeignLauncher {
  std::string variable{};  ///< of the environment, with the number of processes
  int processes = 0;
  int rank = 0;  ///< of this process among them
};

/// A launcher whose variable counts several processes, if no launcher that this MPI knows (Open MPI's, or one with PMIx) started
/// this one. It is foreign if MPI then has one rank. Call it before MPI is initialised, which sets variables of its own.
std::optional<ForeignLauncher> foreign_launcher();

}  // namespace parconv::app
