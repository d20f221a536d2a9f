// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/mpi_handle.hpp"

#include <exception>
#include <utility>

namespace parconv::mpi {

Handle::Handle(MPI_Comm comm) : comm_(comm) {
  check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

Handle::~Handle() {
  if (comm_ != MPI_COMM_NULL && std::uncaught_exceptions() == 0 && is_running()) MPI_Comm_free(&comm_);
}

Handle::Handle(Handle&& other) noexcept : comm_(std::exchange(other.comm_, MPI_COMM_NULL)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(comm_, other.comm_);
  return *this;
}

Handle Handle::duplicate(MPI_Comm comm) {
  MPI_Comm copy = MPI_COMM_NULL;
  check(MPI_Comm_dup(comm, &copy), "MPI_Comm_dup");
  return Handle(copy);
}

int Handle::rank() const {
  int rank = 0;
  check(MPI_Comm_rank(comm_, &rank), "MPI_Comm_rank");
  return rank;
}

int Handle::size() const {
  int size = 0;
  check(MPI_Comm_size(comm_, &size), "MPI_Comm_size");
  return size;
}

}  // namespace parconv::mpi
