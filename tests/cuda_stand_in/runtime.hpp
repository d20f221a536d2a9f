// What the parts of the stand-in's runtime share: errors, the current device, and what handles stand for.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <vector>

#include "graph.hpp"
#include "stream.hpp"

struct CUstream_st {
  parconv::stand_in::Stream* stream = nullptr;
  std::shared_ptr<parconv::stand_in::Capture> capture{};  ///< if what it is given is kept for a graph
};

struct CUevent_st {
  int device = 0;
  bool is_timed = true;
  std::mutex mutex{};
  std::shared_ptr<parconv::stand_in::Mark> mark{};  ///< of the last record; none if never recorded
  parconv::stand_in::CapturedPlace captured{};      ///< of the last record, if that was in a capture
};

namespace parconv::stand_in {

/// Keeps the error for cudaGetLastError of this thread, and returns it.
cudaError_t told(cudaError_t status);

/// A failure that the device does not get over: from now on every call returns it.
void break_device(cudaError_t status);
cudaError_t device_failure();

/// GPUs that CUDA_VISIBLE_DEVICES leaves, by their numbers in the machine.
const std::vector<int>& visible_gpus();
std::string pci_id_of(int device);
/// The device of this thread.
int current_device();

/// The stream behind a handle.
CUstream_st& stream_of(cudaStream_t stream);

/// A mark that the event stands for from now on.
std::shared_ptr<Mark> new_mark(CUevent_st& event);

}  // namespace parconv::stand_in

/// First in every function that a broken device refuses.
#define PARCONV_STAND_IN_ENTER()                                                                   \
  do {                                                                                             \
    if (const cudaError_t failure = ::parconv::stand_in::device_failure(); failure != cudaSuccess) \
      return ::parconv::stand_in::told(failure);                                                   \
  } while (false)
