// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/quiet_barrier.hpp"

#define OMPI_SKIP_MPICXX 1  // C interface only
#include <mpi.h>

#include <chrono>
#include <thread>

namespace parconv::bench {

void quiet_barrier(const Control& control) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(*static_cast<const MPI_Comm*>(control.native_handle()), &request);
  for (int is_complete = 0; MPI_Test(&request, &is_complete, MPI_STATUS_IGNORE) == MPI_SUCCESS && is_complete == 0;)
    std::this_thread::sleep_for(std::chrono::microseconds(100));
}

}  // namespace parconv::bench
