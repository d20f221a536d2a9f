// SPDX-License-Identifier: Apache-2.0
// A GPU for each rank of a test, shared if there are fewer GPUs than ranks.
#pragma once

#include <cstdlib>
#include <string>

#include "support/gpu_test.hpp"
#include "support/mpi_test.hpp"

namespace parconv::test {

/// NCCL accepts several ranks on one GPU only if it takes them for different hosts. Call before any NCCL function; the test
/// environment (tests/CMakeLists.txt) sets the rest.
inline void separate_nccl_hosts() { ::setenv("NCCL_HOSTID", ("parconv-" + std::to_string(rank())).c_str(), 1); }

/// Precondition: at least one GPU.
inline std::unique_ptr<Device> make_gpu_of_rank() {
  return make_cuda_device(control().node_rank() % static_cast<int>(find_gpus().gpus.size()));
}

}  // namespace parconv::test
