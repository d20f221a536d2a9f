// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "emulator/cudart/emulated_runtime.hpp"
#include "emulator/settings.hpp"
#include "parconv/core/error.hpp"

namespace parconv::emulator {
namespace {

thread_local int device_of_thread = 0;

/// Parsed as CUDA does: indices up to the first that is not a GPU.
std::vector<int> read_visible_gpus() {
  std::vector<int> gpus;
  const char* const text = std::getenv("CUDA_VISIBLE_DEVICES");
  if (text == nullptr) {
    for (int gpu = 0; gpu < settings().gpus; ++gpu) gpus.push_back(gpu);
    return gpus;
  }
  std::istringstream list(text);
  for (std::string each; std::getline(list, each, ',');) {
    char* end = nullptr;
    const long gpu = std::strtol(each.c_str(), &end, 10);
    if (end == each.c_str() || gpu < 0 || gpu >= settings().gpus) break;
    gpus.push_back(static_cast<int>(gpu));
  }
  return gpus;
}

bool is_device(int device) { return device >= 0 && device < static_cast<int>(visible_gpus().size()); }

}  // namespace

const std::vector<int>& visible_gpus() {
  static const auto& gpus = *new std::vector<int>(read_visible_gpus());
  return gpus;
}

std::string pci_id_of(int device) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0000:%02X:00.0", 0x10 + visible_gpus().at(static_cast<std::size_t>(device)));
  return text.data();
}

int current_device() { return device_of_thread; }

}  // namespace parconv::emulator

using namespace parconv::emulator;

cudaError_t cudaGetDeviceCount(int* count) {
  if (visible_gpus().empty()) return record_error(cudaErrorNoDevice);
  *count = static_cast<int>(visible_gpus().size());
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  PARCONV_EMULATOR_ENTER();
  if (!is_device(device)) return record_error(cudaErrorInvalidDevice);
  device_of_thread = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  PARCONV_EMULATOR_ENTER();
  *device = current_device();
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (!is_device(device)) return record_error(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulator");
  const std::string uuid = parconv::concat("emulator ", 1000000 + visible_gpus()[static_cast<std::size_t>(device)]);
  std::copy_n(uuid.begin(), sizeof properties->uuid.bytes, properties->uuid.bytes);
  properties->totalGlobalMem = settings().memory_bytes;
  properties->major = 9;
  properties->minor = 0;
  properties->multiProcessorCount = 132;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int size, int device) {
  if (!is_device(device)) return record_error(cudaErrorInvalidDevice);
  std::snprintf(text, static_cast<std::size_t>(size), "%s", pci_id_of(device).c_str());
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  if (!is_device(device) || !is_device(peer)) return record_error(cudaErrorInvalidDevice);
  *can = device != peer ? 1 : 0;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  PARCONV_EMULATOR_ENTER();
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
