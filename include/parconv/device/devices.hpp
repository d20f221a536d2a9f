// SPDX-License-Identifier: Apache-2.0
// The devices of this machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parconv/device/device.hpp"
#include "parconv/tensor/threads.hpp"

namespace parconv {

/// The host as a device; copies complete immediately, made by `threads`.
std::unique_ptr<Device> make_host_device(const ThreadShare& threads = {});

/// True if this build supports GPUs.
bool has_gpu_support();

/// Properties of a GPU, known without using it.
struct GpuInfo {
  std::string name{};
  std::string pci_id{};  ///< "0000:17:00.0"
  std::string uuid{};    ///< 32 hexadecimal digits, unique to this GPU
  int major = 0;         ///< compute capability
  int minor = 0;
  std::size_t total_bytes = 0;
};

/// The GPUs visible to this process, or the reason why there are none.
struct GpuList {
  std::vector<GpuInfo> gpus{};
  /// Empty if there are GPUs; otherwise the reason, with driver and runtime versions.
  std::string problem{};
};

/// Lists the GPUs. Local. A machine without a GPU or driver, and a build without CUDA, yield an empty list; no exception is
/// thrown.
GpuList find_gpus();

/// True if each of two GPUs can access the other's memory directly. Precondition: both are indices into find_gpus().gpus.
bool has_peer_access(int gpu, int other);

/// Creates the device of GPU `index` of find_gpus() and makes it the current GPU of the calling thread, the only thread that
/// may use it. The communication stream has the higher priority. Throws Error(Unavailable) if there is no such GPU.
std::unique_ptr<Device> make_cuda_device(int index);

}  // namespace parconv
