// SPDX-License-Identifier: Apache-2.0
// The only include of MPI: its header without the C++ bindings, and one throwing check.
#pragma once

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <source_location>
#include <string>

namespace parconv::mpi {

/// Throws Error(Communication) with the library's own text if `status` is not MPI_SUCCESS. `call` names the function.
void check(int status, const char* call, std::source_location where = std::source_location::current());

/// True between the start and the end of MPI in this process.
bool is_running();

/// The host of this process, as MPI names it.
std::string processor_name();

}  // namespace parconv::mpi
