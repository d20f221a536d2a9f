// SPDX-License-Identifier: Apache-2.0
// Shared state of the emulated runtime: errors, the current device, and the objects behind handles.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <vector>

#include "emulator/cudart/emulated_graph.hpp"
#include "emulator/cudart/emulated_stream.hpp"

struct CUstream_st {
  parconv::emulator::Stream* stream = nullptr;
  std::shared_ptr<parconv::emulator::Capture> capture{};  ///< set while the stream is capturing
};

struct CUevent_st {
  int device = 0;
  bool is_timed = true;
  std::mutex mutex{};
  std::shared_ptr<parconv::emulator::Mark> mark{};  ///< of the last record; null if never recorded
  parconv::emulator::CapturePoint captured{};       ///< position of the last record, if it was captured
};

namespace parconv::emulator {

/// Sets the calling thread's last error (see cudaGetLastError) and returns it.
cudaError_t record_error(cudaError_t status);

/// A sticky device error: every later call returns it.
void break_device(cudaError_t status);
cudaError_t device_failure();

/// GPUs visible through CUDA_VISIBLE_DEVICES, by physical index.
const std::vector<int>& visible_gpus();
std::string pci_id_of(int device);
/// The calling thread's device.
int current_device();

/// The stream behind a handle.
CUstream_st& stream_of(cudaStream_t stream);

/// The mark of a new record of `event`.
std::shared_ptr<Mark> new_mark(CUevent_st& event);

}  // namespace parconv::emulator

/// Entry check of every function that fails after a sticky error.
#define PARCONV_EMULATOR_ENTER()                                                                   \
  do {                                                                                             \
    if (const cudaError_t failure = ::parconv::emulator::device_failure(); failure != cudaSuccess) \
      return ::parconv::emulator::record_error(failure);                                           \
  } while (false)
