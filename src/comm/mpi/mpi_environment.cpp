// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/mpi/mpi_environment.hpp"

#include <exception>

#include "comm/mpi/mpi_check.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

void start_mpi() {
  int provided = MPI_THREAD_SINGLE;
  mpi::check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
}

void require_threads() {
  int provided = MPI_THREAD_SINGLE;
  mpi::check(MPI_Query_thread(&provided), "MPI_Query_thread");
  if (provided < MPI_THREAD_FUNNELED)
    throw Error(ExitCode::Config, "the MPI library supports MPI_THREAD_SINGLE only; MPI_THREAD_FUNNELED is required",
                "Use an MPI library built with thread support.");
}

}  // namespace

MpiEnvironment::MpiEnvironment() : owns_mpi_(!mpi::is_running()), exceptions_at_start_(std::uncaught_exceptions()) {
  if (owns_mpi_) start_mpi();
  require_threads();
  mpi::check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  mpi::check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  host_name_ = mpi::processor_name();
}

MpiEnvironment::~MpiEnvironment() {
  const bool is_unwinding = std::uncaught_exceptions() > exceptions_at_start_;
  if (owns_mpi_ && !is_unwinding && mpi::is_running()) MPI_Finalize();
}

void MpiEnvironment::abort(int code) {
  if (mpi::is_running()) MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace parconv
