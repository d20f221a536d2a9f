// SPDX-License-Identifier: Apache-2.0
// Detection of the launcher (mpirun, srun) by its environment variables, before MPI is initialised.
#pragma once

namespace parconv::app {

/// This process's rank; 0 without a launcher. For output that is printed once by commands that start no MPI.
int launched_rank();

/// True if a launcher started this process.
bool is_launched();

}  // namespace parconv::app
