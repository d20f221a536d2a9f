// The real cuDNN behind the stand-in's: it makes descriptors, chooses engines and makes plans, for a GPU that is only described.
#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <vector>

namespace parconv::stand_in {

void* address_in_cudnn(const char* name);

/// The real library's function with the name of one of the stand-in's.
#define PARCONV_REAL(function)                                                                                           \
  ([] {                                                                                                                  \
    static const auto found = reinterpret_cast<decltype(&(function))>(::parconv::stand_in::address_in_cudnn(#function)); \
    return found;                                                                                                        \
  }())

/// Gives up if a call of the real library failed that has to succeed.
void expect(cudnnStatus_t status, const char* what);

/// Writes the description of the GPU into device properties.
cudnnStatus_t describe_gpu(cudnnBackendDescriptor_t properties);
/// Finished device properties of the GPU; they live as long as the program.
cudnnBackendDescriptor_t gpu_properties();

/// What the notes of an engine say about its plans.
struct EngineNotes {
  bool is_compiled = false;  ///< when a plan is made, which takes a second
  std::vector<cudnnBackendNumericalNote_t> numerical{};
};

/// The notes of a configuration's engine.
EngineNotes notes_of(cudnnBackendDescriptor_t configuration);

std::int64_t number_of(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name);

}  // namespace parconv::stand_in
