// SPDX-License-Identifier: Apache-2.0
#include "compute/cudnn/cudnn_api.hpp"

#include <array>
#include <utility>

#include "parconv/core/error.hpp"

namespace parconv::cudnn {
namespace {

constexpr int first_bad_parameter = 2000;  // lower codes are failures of the library as a whole

std::string last_message() {
  std::array<char, 1024> text{};
  cudnnGetLastErrorString(text.data(), text.size());
  return text.data();
}

bool is_short_of_memory(cudnnStatus_t status) {
  return status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
         status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
}

}  // namespace

void check(cudnnStatus_t status, const char* call, std::source_location where) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  const std::string text = concat("cuDNN ", version(), ": ", call, " failed: ", cudnnGetErrorString(status), " (", last_message(),
                                  ", ", where.file_name(), ":", where.line(), ")");
  if (is_short_of_memory(status)) throw Error(ExitCode::OutOfMemory, text, "Use more ranks, so that each holds less.");
  throw Error(ExitCode::Unavailable, text, "This is a limitation of cuDNN or of the GPU. Use --device cpu.");
}

bool is_refused(cudnnStatus_t status, const char* call, std::source_location where) {
  if (static_cast<int>(status) >= first_bad_parameter && !is_short_of_memory(status)) return true;
  check(status, call, where);
  return false;
}

std::string version() {
  const std::size_t number = cudnnGetVersion();
  return concat(number / 10000, ".", number % 10000 / 100, ".", number % 100);
}

cudnnDataType_t data_type(DType type) {
  switch (type) {
    case DType::F32:
      return CUDNN_DATA_FLOAT;
    case DType::F16:
      return CUDNN_DATA_HALF;
    case DType::BF16:
      return CUDNN_DATA_BFLOAT16;
    default:
      throw Error(ExitCode::Unavailable, concat("the cudnn backend supports f32, f16 and bf16, not ", name_of(type)),
                  "Use --dtype f32, f16 or bf16.");
  }
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  check(cudnnBackendCreateDescriptor(type, &descriptor_), "cudnnBackendCreateDescriptor");
}

Descriptor::~Descriptor() {
  if (descriptor_ != nullptr) cudnnBackendDestroyDescriptor(descriptor_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void Descriptor::set_descriptors(cudnnBackendAttributeName_t name, std::span<const cudnnBackendDescriptor_t> descriptors) {
  set_values(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<index_t>(descriptors.size()), descriptors.data());
}

void Descriptor::set_descriptor(cudnnBackendAttributeName_t name, const Descriptor& descriptor) {
  const cudnnBackendDescriptor_t one = descriptor.get();
  set_descriptors(name, {&one, 1});
}

void Descriptor::set_pointers(cudnnBackendAttributeName_t name, std::span<void* const> pointers) {
  set_values(name, CUDNN_TYPE_VOID_PTR, static_cast<index_t>(pointers.size()), pointers.data());
}

void Descriptor::finalize() { check(cudnnBackendFinalize(descriptor_), "cudnnBackendFinalize"); }

bool Descriptor::try_finalize() { return !is_refused(cudnnBackendFinalize(descriptor_), "cudnnBackendFinalize"); }

index_t Descriptor::read_descriptors(cudnnBackendAttributeName_t name, std::span<cudnnBackendDescriptor_t> descriptors) const {
  return read_values(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<index_t>(descriptors.size()), descriptors.data());
}

void Descriptor::set_values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, index_t count,
                            const void* values) {
  check(cudnnBackendSetAttribute(descriptor_, name, type, count, values), "cudnnBackendSetAttribute");
}

index_t Descriptor::read_values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, index_t count,
                                void* values) const {
  index_t found = 0;
  check(cudnnBackendGetAttribute(descriptor_, name, type, count, &found, count == 0 ? nullptr : values),
        "cudnnBackendGetAttribute");
  return found;
}

Handle::Handle(void* stream) {
  check(cudnnCreate(&handle_), "cudnnCreate");
  const cudnnStatus_t status = cudnnSetStream(handle_, static_cast<cudaStream_t>(stream));
  if (status != CUDNN_STATUS_SUCCESS) cudnnDestroy(handle_);
  check(status, "cudnnSetStream");
}

Handle::~Handle() { cudnnDestroy(handle_); }

}  // namespace parconv::cudnn
