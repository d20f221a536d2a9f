// SPDX-License-Identifier: Apache-2.0
// The real cuDNN, loaded by the emulated one: it creates descriptors, runs heuristics and finalizes plans for a GPU known only
// by its description.
#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <vector>

namespace parconv::emulator {

void* address_in_cudnn(const char* name);

/// The function of the same name in the real library.
#define PARCONV_REAL(function)                                                                                           \
  ([] {                                                                                                                  \
    static const auto found = reinterpret_cast<decltype(&(function))>(::parconv::emulator::address_in_cudnn(#function)); \
    return found;                                                                                                        \
  }())

/// Aborts if a call of the real library failed.
void expect(cudnnStatus_t status, const char* what);

/// Copies the description of the GPU into device properties.
cudnnStatus_t describe_gpu(cudnnBackendDescriptor_t properties);
/// Finalized device properties of the GPU, with static lifetime.
cudnnBackendDescriptor_t gpu_properties();

/// Behaviour and numerical notes of an engine.
struct ConvAlgorithmNotes {
  bool is_compiled = false;  ///< at run time, which takes about a second
  std::vector<cudnnBackendNumericalNote_t> numerical{};
};

/// The notes of the engine of a configuration.
ConvAlgorithmNotes notes_of(cudnnBackendDescriptor_t configuration);

std::int64_t number_of(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name);

}  // namespace parconv::emulator
