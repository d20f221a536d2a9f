// The owner of one MPI communicator.
#pragma once

#include "comm/mpi_check.hpp"

namespace parconv::mpi {

/// Owns an MPI communicator whose errors are returned, not fatal. Move-only.
class Handle {
 public:
  Handle() = default;
  /// Takes over a communicator that the caller has made. Local.
  explicit Handle(MPI_Comm comm);
  /// Frees it in orderly operation only: MPI_Comm_free is formally collective, so it is left out while an exception propagates.
  ~Handle();
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;

  /// A duplicate of `comm`, so that its messages never meet those of others. Collective.
  static Handle duplicate(MPI_Comm comm);

  MPI_Comm get() const { return comm_; }
  const MPI_Comm* address() const { return &comm_; }
  int rank() const;
  int size() const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

}  // namespace parconv::mpi
