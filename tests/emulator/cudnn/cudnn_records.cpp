// SPDX-License-Identifier: Apache-2.0
#include "cudnn_records.hpp"

#include <mutex>

#include "emulator/settings.hpp"

namespace parconv::emulator {
namespace {

std::size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
      return sizeof(bool);
    case CUDNN_TYPE_DATA_TYPE:
    case CUDNN_TYPE_CONVOLUTION_MODE:
    case CUDNN_TYPE_POINTWISE_MODE:
    case CUDNN_TYPE_NUMERICAL_NOTE:
    case CUDNN_TYPE_FLOAT:
      return 4;
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
      return 8;
    default:
      return 0;
  }
}

struct Records {
  std::mutex mutex{};
  std::map<cudnnBackendDescriptor_t, std::shared_ptr<Record>> of_descriptors{};
};

/// Never destroyed: threads may use it until the process exits.
Records& records() {
  static Records& all = *new Records;
  return all;
}

}  // namespace

void refuse(const std::string& what) { abort_with(("cuDNN: " + what).c_str()); }

void Record::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count, const void* values) {
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    parts_.erase(name);
    const auto* const descriptors = static_cast<const cudnnBackendDescriptor_t*>(values);
    for (std::int64_t k = 0; k < count; ++k) parts_[name].push_back(record_of(descriptors[k]));
    return;
  }
  const auto* const bytes = static_cast<const char*>(values);
  if (const std::size_t size = size_of(type); size > 0)
    bytes_[name].assign(bytes, bytes + size * static_cast<std::size_t>(count));
}

void Record::set_part(cudnnBackendAttributeName_t name, std::shared_ptr<const Record> part) { parts_[name] = {std::move(part)}; }

void Record::forget(cudnnBackendAttributeName_t name) {
  bytes_.erase(name);
  parts_.erase(name);
}

bool Record::has(cudnnBackendAttributeName_t name) const { return bytes_.contains(name) || parts_.contains(name); }

std::vector<std::shared_ptr<const Record>> Record::parts(cudnnBackendAttributeName_t name) const {
  const auto found = parts_.find(name);
  return found == parts_.end() ? std::vector<std::shared_ptr<const Record>>{} : found->second;
}

std::shared_ptr<const Record> Record::part(cudnnBackendAttributeName_t name) const {
  const auto found = parts_.find(name);
  return found == parts_.end() || found->second.empty() ? nullptr : found->second.front();
}

std::shared_ptr<Record> record_of(cudnnBackendDescriptor_t descriptor) {
  const std::lock_guard lock(records().mutex);
  const auto found = records().of_descriptors.find(descriptor);
  if (found == records().of_descriptors.end()) refuse("a descriptor that was not made, or is destroyed");
  return found->second;
}

void start_record(cudnnBackendDescriptor_t descriptor, cudnnBackendDescriptorType_t type) {
  const auto record = std::make_shared<Record>(descriptor, type);
  const std::lock_guard lock(records().mutex);
  records().of_descriptors[descriptor] = record;
}

void drop_record(cudnnBackendDescriptor_t descriptor) {
  const std::lock_guard lock(records().mutex);
  records().of_descriptors.erase(descriptor);
}

}  // namespace parconv::emulator
