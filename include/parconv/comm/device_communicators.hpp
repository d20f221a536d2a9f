// Messages between the memories of devices.
#pragma once

#include <memory>

#include "parconv/comm/communicator.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/device/device.hpp"

namespace parconv {

/// How a communicator for host memory reaches device memory.
enum class DeviceAccess {
  Staged,  ///< messages are copied through pinned host memory
  Direct   ///< the inner communicator takes addresses of the device
};

/// Sends and receives in the memory of `device` by a communicator of another kind of memory. Messages leave when the compute lane
/// has done what it was given before they started; until then, and while they are copied, the caller goes on. Allocates in
/// prepare only. The device must outlive it; its exchanges must not.
std::unique_ptr<Communicator> make_staged_communicator(std::unique_ptr<Communicator> inner, Device& device,
                                                       DeviceAccess access = DeviceAccess::Staged);

/// True if this MPI library says that it takes the addresses of GPUs. Local; MPI has to run.
bool is_mpi_cuda_aware();

struct NcclOptions {
  /// For making connections, and for ending after an error.
  double timeout_seconds = 60;
  /// Blocks of threads that messages take from the GPU's multiprocessors at most. Halos are short: latency counts, not width.
  int max_ctas = 8;
};

/// Messages between GPUs by NCCL, between the ranks of `control`. All of an exchange are one group on the communication lane of
/// `device`, which is a GPU of no other rank. Collective, blocking: makes all connections. Throws Error(Communication) on all
/// ranks alike if that fails, and Error(Unavailable) in builds without CUDA. Control and device must outlive it.
std::unique_ptr<Communicator> make_nccl_communicator(Control& control, Device& device, const NcclOptions& options = {});

}  // namespace parconv
