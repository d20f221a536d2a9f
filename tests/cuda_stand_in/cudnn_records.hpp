// What was set in descriptors of cuDNN, which the library itself does not tell. Remembered for the stand-in's executions.
#pragma once

#include <cudnn_graph.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace parconv::stand_in {

/// Ends the program: the stand-in was asked for what it does not do, and no test may take that for a result.
[[noreturn]] void refuse(const std::string& what);

/// Attributes of one descriptor. Those of types that executions do not need are left out.
class Record {
 public:
  Record(cudnnBackendDescriptor_t descriptor, cudnnBackendDescriptorType_t type) : descriptor_(descriptor), type_(type) {}

  /// It may be destroyed already.
  cudnnBackendDescriptor_t descriptor() const { return descriptor_; }
  cudnnBackendDescriptorType_t type() const { return type_; }

  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count, const void* values);
  void set_part(cudnnBackendAttributeName_t name, std::shared_ptr<const Record> part);

  void forget(cudnnBackendAttributeName_t name);

  bool has(cudnnBackendAttributeName_t name) const;

  /// The values of an attribute, in the type in which they were set; none if it was not set.
  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name) const {
    const auto found = bytes_.find(name);
    if (found == bytes_.end()) return {};
    std::vector<T> result(found->second.size() / sizeof(T));
    std::memcpy(result.data(), found->second.data(), result.size() * sizeof(T));
    return result;
  }
  /// The first of them.
  template <class T>
  T value(cudnnBackendAttributeName_t name, T otherwise) const {
    const auto found = bytes_.find(name);
    if (found != bytes_.end() && found->second.size() >= sizeof(T)) std::memcpy(&otherwise, found->second.data(), sizeof(T));
    return otherwise;
  }

  /// The descriptors that an attribute names, as they were then; none if it was not set.
  std::vector<std::shared_ptr<const Record>> parts(cudnnBackendAttributeName_t name) const;
  /// The first of them; null if there is none.
  std::shared_ptr<const Record> part(cudnnBackendAttributeName_t name) const;

 private:
  cudnnBackendDescriptor_t descriptor_;
  cudnnBackendDescriptorType_t type_;
  std::map<cudnnBackendAttributeName_t, std::vector<char>> bytes_{};
  std::map<cudnnBackendAttributeName_t, std::vector<std::shared_ptr<const Record>>> parts_{};
};

/// The record of a descriptor that exists, for all threads.
std::shared_ptr<Record> record_of(cudnnBackendDescriptor_t descriptor);
void start_record(cudnnBackendDescriptor_t descriptor, cudnnBackendDescriptorType_t type);
void drop_record(cudnnBackendDescriptor_t descriptor);

}  // namespace parconv::stand_in
