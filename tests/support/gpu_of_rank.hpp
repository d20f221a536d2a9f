// A GPU for each rank of a test, also where there are fewer GPUs than ranks.
#pragma once

#include <cstdlib>
#include <string>

#include "support/gpu_test.hpp"
#include "support/mpi_test.hpp"

namespace parconv::test {

/// NCCL takes ranks on one GPU only if it believes that they are on different hosts. Before the first call of NCCL; the rest of
/// what that needs is in the environment of the tests (tests/CMakeLists.txt).
inline void separate_nccl_hosts() { ::setenv("NCCL_HOSTID", ("parconv-" + std::to_string(rank())).c_str(), 1); }

/// Precondition: there is a GPU.
inline std::unique_ptr<Device> make_gpu_of_rank() {
  return make_cuda_device(control().node_rank() % static_cast<int>(find_gpus().gpus.size()));
}

}  // namespace parconv::test
