// The devices of this machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parconv/device/device.hpp"

namespace parconv {

/// The memory of the host; copies are made at once.
std::unique_ptr<Device> make_host_device();

/// True if this build supports GPUs.
bool has_gpu_support();

/// What is known about a GPU before it is used.
struct GpuInfo {
  std::string name{};
  std::string pci_id{};  ///< "0000:17:00.0"
  std::string uuid{};    ///< 32 hexadecimal digits, of this GPU alone
  int major = 0;         ///< compute capability
  int minor = 0;
  std::size_t total_bytes = 0;
};

/// The GPUs that this process can see, and why there is none.
struct GpuList {
  std::vector<GpuInfo> gpus{};
  /// Empty if there are GPUs; else the reason, with the versions of driver and runtime.
  std::string problem{};
};

/// Never throws for a machine without a GPU, a driver, or a build without CUDA: they are a GpuList without GPUs.
GpuList find_gpus();

/// True if each of two GPUs of a GpuList reaches the other's memory directly. Precondition: both exist.
bool has_peer_access(int gpu, int other);

/// The GPU `index` of find_gpus(), with a stream for each lane; the one for communication has the higher priority. Makes it the
/// current GPU of the calling thread, which alone may use the device. Throws Error(Unavailable) if there is no such GPU.
std::unique_ptr<Device> make_cuda_device(int index);

}  // namespace parconv
