// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>

#include "cuda/cuda_check.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"

namespace parconv {
namespace {

using cuda::check;

/// Example: 13000 is "13.0".
std::string version_text(int version) { return concat(version / 1000, ".", version % 1000 / 10); }

std::string problem_of(const std::string& text) {
  int driver = 0;
  int runtime = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  static_cast<void>(cudaRuntimeGetVersion(&runtime));
  if (driver == 0) return concat("no usable GPU: no CUDA driver is installed (CUDA runtime ", version_text(runtime), ")");
  return concat("no usable GPU: ", text, " (CUDA driver for ", version_text(driver), ", runtime ", version_text(runtime), ")");
}

std::string hexadecimal(const cudaUUID_t& uuid) {
  std::string text;
  for (const char byte : uuid.bytes) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    text += digits.data();
  }
  return text;
}

GpuInfo info_of(int index) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  std::array<char, 32> pci_id{};
  check(cudaDeviceGetPCIBusId(pci_id.data(), static_cast<int>(pci_id.size()), index), "cudaDeviceGetPCIBusId");
  return {.name = properties.name,
          .pci_id = pci_id.data(),
          .uuid = hexadecimal(properties.uuid),
          .major = properties.major,
          .minor = properties.minor,
          .total_bytes = properties.totalGlobalMem};
}

}  // namespace

bool has_gpu_support() { return true; }

GpuList find_gpus() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());  // clears the error of a machine without a GPU
  if (status != cudaSuccess) return {.problem = problem_of(cudaGetErrorString(status))};
  if (count == 0) return {.problem = problem_of("none is visible")};
  GpuList list;
  for (int index = 0; index < count; ++index) list.gpus.push_back(info_of(index));
  return list;
}

bool has_peer_access(int gpu, int other) {
  int there = 0;
  int back = 0;
  check(cudaDeviceCanAccessPeer(&there, gpu, other), "cudaDeviceCanAccessPeer");
  check(cudaDeviceCanAccessPeer(&back, other, gpu), "cudaDeviceCanAccessPeer");
  return there != 0 && back != 0;
}

}  // namespace parconv
