// SPDX-License-Identifier: Apache-2.0
// Recorded descriptor attributes, which cuDNN itself does not expose, for the emulator's executions.
#pragma once

#include <cudnn_graph.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace parconv::emulator {

/// Aborts on unsupported functionality, so that no test mistakes it for a result.
[[noreturn]] void refuse(const std::string& what);

/// Attributes of one descriptor, except those of types that executions do not use.
class Record {
 public:
  Record(cudnnBackendDescriptor_t descriptor, cudnnBackendDescriptorType_t type) : descriptor_(descriptor), type_(type) {}

  /// The descriptor, which may have been destroyed.
  cudnnBackendDescriptor_t descriptor() const { return descriptor_; }
  cudnnBackendDescriptorType_t type() const { return type_; }

  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count, const void* values);
  void set_part(cudnnBackendAttributeName_t name, std::shared_ptr<const Record> part);

  void forget(cudnnBackendAttributeName_t name);

  bool has(cudnnBackendAttributeName_t name) const;

  /// The values of an attribute in the type in which they were set; empty if unset.
  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name) const {
    const auto found = bytes_.find(name);
    if (found == bytes_.end()) return {};
    std::vector<T> result(found->second.size() / sizeof(T));
    std::memcpy(result.data(), found->second.data(), result.size() * sizeof(T));
    return result;
  }
  /// The first value; `otherwise` if unset.
  template <class T>
  T value(cudnnBackendAttributeName_t name, T otherwise) const {
    const auto found = bytes_.find(name);
    if (found != bytes_.end() && found->second.size() >= sizeof(T)) std::memcpy(&otherwise, found->second.data(), sizeof(T));
    return otherwise;
  }

  /// Descriptors set as an attribute, as of then; empty if unset.
  std::vector<std::shared_ptr<const Record>> parts(cudnnBackendAttributeName_t name) const;
  /// The first descriptor; null if unset.
  std::shared_ptr<const Record> part(cudnnBackendAttributeName_t name) const;

 private:
  cudnnBackendDescriptor_t descriptor_;
  cudnnBackendDescriptorType_t type_;
  std::map<cudnnBackendAttributeName_t, std::vector<char>> bytes_{};
  std::map<cudnnBackendAttributeName_t, std::vector<std::shared_ptr<const Record>>> parts_{};
};

/// The record of a live descriptor. Thread-safe.
std::shared_ptr<Record> record_of(cudnnBackendDescriptor_t descriptor);
void start_record(cudnnBackendDescriptor_t descriptor, cudnnBackendDescriptorType_t type);
void drop_record(cudnnBackendDescriptor_t descriptor);

}  // namespace parconv::emulator
