// SPDX-License-Identifier: Apache-2.0
#include "cudnn_real.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "cudnn_records.hpp"

namespace parconv::emulator {
namespace {

const std::string& json_of_gpu() {
  static const std::string json = [] {
    std::ostringstream text;
    text << std::ifstream(PARCONV_EMULATOR_PROPERTIES).rdbuf();
    return text.str();
  }();
  return json;
}

template <class T, std::size_t Most>
std::vector<T> values_of(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                         cudnnBackendAttributeType_t type) {
  std::vector<T> values(Most);
  std::int64_t count = 0;
  expect(PARCONV_REAL(cudnnBackendGetAttribute)(descriptor, name, type, std::int64_t{Most}, &count, values.data()),
         "reading the notes of an engine");
  values.resize(std::min(static_cast<std::size_t>(count), Most));
  return values;
}

}  // namespace

void* address_in_cudnn(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) refuse(std::string("the program has no ") + name);
  return found;
}

void expect(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) refuse(std::string(what) + " failed: status " + std::to_string(status));
}

cudnnStatus_t describe_gpu(cudnnBackendDescriptor_t properties) {
  const std::string& json = json_of_gpu();
  return PARCONV_REAL(cudnnBackendSetAttribute)(properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                                static_cast<std::int64_t>(json.size()), json.data());
}

cudnnBackendDescriptor_t gpu_properties() {
  static const cudnnBackendDescriptor_t properties = [] {
    cudnnBackendDescriptor_t made = nullptr;
    expect(PARCONV_REAL(cudnnBackendCreateDescriptor)(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &made), "creating device properties");
    expect(describe_gpu(made), "reading device properties");
    expect(PARCONV_REAL(cudnnBackendFinalize)(made), "finalizing device properties");
    return made;
  }();
  return properties;
}

ConvAlgorithmNotes notes_of(cudnnBackendDescriptor_t configuration) {
  cudnnBackendDescriptor_t engine = nullptr;
  std::int64_t count = 0;
  expect(PARCONV_REAL(cudnnBackendCreateDescriptor)(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine), "creating an engine");
  expect(PARCONV_REAL(cudnnBackendGetAttribute)(configuration, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                                &count, &engine),
         "reading an engine");
  const auto behavior = values_of<cudnnBackendBehaviorNote_t, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT>(
      engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE);
  ConvAlgorithmNotes notes{
      .is_compiled = std::find(behavior.begin(), behavior.end(), CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != behavior.end(),
      .numerical = values_of<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT>(
          engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE)};
  PARCONV_REAL(cudnnBackendDestroyDescriptor)(engine);
  return notes;
}

std::int64_t number_of(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name) {
  std::int64_t number = 0, count = 0;
  expect(PARCONV_REAL(cudnnBackendGetAttribute)(descriptor, name, CUDNN_TYPE_INT64, 1, &count, &number), "reading a number");
  return number;
}

}  // namespace parconv::emulator
