// SPDX-License-Identifier: Apache-2.0
// cuDNN's graph interface with owners and exceptions. Only sources that wrap cuDNN include this.
#pragma once

#include <cudnn_graph.h>

#include <source_location>
#include <span>
#include <string>

#include "parconv/core/types.hpp"

namespace parconv::cudnn {

/// Throws Error(OutOfMemory) if memory is short and Error(Unavailable) for every other failure of `call`, with cuDNN's own
/// message.
void check(cudnnStatus_t status, const char* call, std::source_location where = std::source_location::current());

/// True if cuDNN reports the request as unsupported or fails to compile its kernel. Throws as check does if memory is short or
/// the library does not work at all.
bool is_refused(cudnnStatus_t status, const char* call, std::source_location where = std::source_location::current());

/// "9.19.0".
std::string version();

cudnnDataType_t data_type(DType type);

/// cuDNN's enumerator of an attribute type.
template <class T>
inline constexpr cudnnBackendAttributeType_t attribute_type = CUDNN_TYPE_INT64;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<double> = CUDNN_TYPE_DOUBLE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<std::int32_t> = CUDNN_TYPE_INT32;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnBackendKnobType_t> = CUDNN_TYPE_KNOB_TYPE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;

/// Owner of a backend descriptor.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  template <class T>
  void set(cudnnBackendAttributeName_t name, std::span<const T> values) {
    set_values(name, attribute_type<T>, static_cast<index_t>(values.size()), values.data());
  }
  template <class T>
  void set(cudnnBackendAttributeName_t name, const T& value) {
    set_values(name, attribute_type<T>, 1, &value);
  }
  void set_descriptors(cudnnBackendAttributeName_t name, std::span<const cudnnBackendDescriptor_t> descriptors);
  void set_descriptor(cudnnBackendAttributeName_t name, const Descriptor& descriptor);
  void set_pointers(cudnnBackendAttributeName_t name, std::span<void* const> pointers);

  /// Checks and completes the descriptor.
  void finalize();
  /// The same; false if cuDNN does not support the description.
  bool try_finalize();

  /// Reads up to values.size() elements and returns their number; with an empty span, the available count.
  template <class T>
  index_t read(cudnnBackendAttributeName_t name, std::span<T> values) const {
    return read_values(name, attribute_type<T>, static_cast<index_t>(values.size()), values.data());
  }
  template <class T>
  T read(cudnnBackendAttributeName_t name) const {
    T value{};
    read_values(name, attribute_type<T>, 1, &value);
    return value;
  }
  /// Reads into existing descriptors.
  index_t read_descriptors(cudnnBackendAttributeName_t name, std::span<cudnnBackendDescriptor_t> descriptors) const;

 private:
  void set_values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, index_t count, const void* values);
  index_t read_values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, index_t count, void* values) const;

  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

/// Owner of a cuDNN handle of the current GPU, needed for execution only.
class Handle {
 public:
  /// `stream` is a cudaStream_t.
  explicit Handle(void* stream);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  cudnnHandle_t get() const { return handle_; }

 private:
  cudnnHandle_t handle_ = nullptr;
};

}  // namespace parconv::cudnn
