// Messages over MPI, in host memory.
#pragma once

#include <cstddef>
#include <memory>

#include "parconv/comm/communicator.hpp"
#include "parconv/comm/control.hpp"

namespace parconv {

/// The same on all ranks of a communicator.
struct MpiOptions {
  /// Messages above this size travel as several. At most 2^31 - 1, which is as many bytes as one call of MPI can count.
  std::size_t chunk_bytes = std::size_t{1} << 30;
  /// Number of tags in use; 0: as many as the library has. Orders are folded into it, which the global order makes harmless.
  int num_tags = 0;
};

/// A communicator of the ranks of `control`, on a duplicated MPI communicator: its messages meet no others. Collective.
/// Exchanges use persistent requests: start, finish, test and progress allocate nothing in parconv. They may send to the own
/// rank. The exchanges must be destroyed before MPI ends, and may outlive the communicator only unused.
std::unique_ptr<Communicator> make_mpi_communicator(const Control& control, const MpiOptions& options = {});

}  // namespace parconv
