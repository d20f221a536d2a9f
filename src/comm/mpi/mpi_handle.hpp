// SPDX-License-Identifier: Apache-2.0
// The owner of one MPI communicator.
#pragma once

#include "comm/mpi/mpi_check.hpp"

namespace parconv::mpi {

/// Owns an MPI communicator whose errors are returned, not fatal. Move-only.
class Handle {
 public:
  Handle() = default;
  /// Takes ownership of `comm`. Local.
  explicit Handle(MPI_Comm comm);
  /// Frees the communicator unless an exception propagates, since MPI_Comm_free is formally collective.
  ~Handle();
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;

  /// Duplicates `comm`, which isolates its messages. Collective.
  static Handle duplicate(MPI_Comm comm);

  MPI_Comm get() const { return comm_; }
  const MPI_Comm* address() const { return &comm_; }
  int rank() const;
  int size() const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

}  // namespace parconv::mpi
