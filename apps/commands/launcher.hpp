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
};

/// The launcher of this process, if MPI has one rank, another launcher's variable counts more processes, and no launcher that
/// this MPI knows (Open MPI's, or one with PMIx) started it.
std::optional<ForeignLauncher> foreign_launcher(int mpi_ranks);

}  // namespace parconv::app
