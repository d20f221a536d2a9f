// SPDX-License-Identifier: Apache-2.0
// Messages between device memories.
#pragma once

#include <memory>

#include "parconv/comm/communicator.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/device/device.hpp"

namespace parconv {

/// How messages in device memory reach the inner communicator.
enum class DeviceAccess {
  Staged,  ///< copied through pinned host memory
  Direct   ///< passed as device addresses
};

/// Messages in the memory of `device` over a communicator for host memory. Local. Messages are sent once the compute stream has
/// reached the point at which they were started; neither that nor the copies block the caller. Allocates in prepare only. The
/// device must outlive it, and it must outlive its exchanges.
std::unique_ptr<Communicator> make_staged_communicator(std::unique_ptr<Communicator> inner, Device& device,
                                                       DeviceAccess access = DeviceAccess::Staged);

/// True if the MPI library reports CUDA support. Local. Precondition: MPI is initialised.
bool is_mpi_cuda_aware();

/// Options of make_nccl_communicator.
struct NcclOptions {
  /// Limit for connecting, and for aborting after an error.
  double timeout_seconds = 60;
  /// Most thread blocks (CTAs) per NCCL operation. Halos are small, so latency matters more than bandwidth.
  int max_ctas = 8;
};

/// Messages between the GPUs of the ranks of `control`, over NCCL. Collective, blocking: makes all connections. Each exchange
/// is one NCCL group on the communication stream of `device`. Throws Error(Communication) on all ranks if connecting fails, and
/// Error(Unavailable) in builds without CUDA. Preconditions: no two ranks use the same GPU; control and device outlive it.
std::unique_ptr<Communicator> make_nccl_communicator(Control& control, Device& device, const NcclOptions& options = {});

}  // namespace parconv
