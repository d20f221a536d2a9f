// SPDX-License-Identifier: Apache-2.0
// Builds without CUDA: there are no GPUs.
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"

#ifndef PARCONV_HAVE_CUDA
namespace parconv {

bool has_gpu_support() { return false; }

GpuList find_gpus() { return {.problem = "this build has no GPU support (PARCONV_CUDA=OFF)"}; }

bool has_peer_access(int gpu, int other) { throw Bug(concat("peer access of GPUs ", gpu, " and ", other, " without GPUs")); }

std::unique_ptr<Device> make_cuda_device(int) {
  throw Error(ExitCode::Unavailable, find_gpus().problem, "Use --device cpu, or build with CUDA, cuDNN and NCCL.");
}

}  // namespace parconv
#endif
