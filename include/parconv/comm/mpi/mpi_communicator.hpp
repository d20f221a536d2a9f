// SPDX-License-Identifier: Apache-2.0
// Messages in host memory over MPI.
#pragma once

#include <cstddef>
#include <memory>

#include "parconv/comm/communicator.hpp"
#include "parconv/comm/control.hpp"

namespace parconv {

/// Options of make_mpi_communicator; equal on all ranks.
struct MpiOptions {
  /// Messages above this size are split into chunks. At most 2^31 - 1, the largest count of one MPI call.
  std::size_t chunk_bytes = std::size_t{1} << 30;
  /// Number of tags in use; 0: all that the library supports. The tag is the order modulo this number, which is safe because
  /// all ranks start exchanges in the global order.
  int num_tags = 0;
};

/// A communicator of the ranks of `control`, on a duplicated MPI communicator. Collective. Throws Error(Communication).
/// Exchanges use persistent requests: start, finish, test and progress allocate nothing in parconv. Messages to the own rank
/// are allowed. Exchanges must be destroyed before MPI is finalised and must not be used after the communicator is destroyed.
std::unique_ptr<Communicator> make_mpi_communicator(const Control& control, const MpiOptions& options = {});

}  // namespace parconv
