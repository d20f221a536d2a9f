// SPDX-License-Identifier: Apache-2.0
#include "parconv/device/device.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

OperandLayout packed_layout(const OperandLayout& layout) {
  const Box box = Box::whole(layout.extents);
  return layout_within(box, box, layout.type);
}

OperandLayout bytes_layout(std::size_t size_bytes) {
  const Box box = Box::whole({{1, static_cast<index_t>(size_bytes), 1, 1, 1}});
  return layout_within(box, box, DType::U8);
}

}  // namespace

void DeviceBytes::release() noexcept {
  if (data_ != nullptr) device_->free_bytes(data_, kind_);
  data_ = nullptr;
}

void DeviceBytes::swap(DeviceBytes& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(kind_, other.kind_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
}

DeviceBytes Device::allocate(std::size_t size_bytes, MemoryKind kind) {
  if (size_bytes == 0) return {};
  return {*this, kind, allocate_bytes(size_bytes, kind), size_bytes};
}

void Device::pack(ConstView src, std::byte* packed, DeviceStream stream) {
  copy(src, View{.data = packed, .layout = packed_layout(src.layout)}, stream);
}

void Device::unpack(const std::byte* packed, View dst, DeviceStream stream) {
  copy(ConstView{.data = packed, .layout = packed_layout(dst.layout)}, dst, stream);
}

std::string Device::capture_problem() const { return concat("the ", name(), " executes work immediately"); }

std::unique_ptr<DeviceGraph> Device::capture(const std::function<void()>& /*work*/) {
  throw Error(ExitCode::Unavailable, concat("work cannot be captured: ", capture_problem()));
}

void* Device::native_stream(DeviceStream) const { return nullptr; }
void Device::begin_range(const char*) {}
void Device::end_range() {}

View bytes_view(std::byte* data, std::size_t size_bytes) { return {.data = data, .layout = bytes_layout(size_bytes)}; }
ConstView bytes_view(const std::byte* data, std::size_t size_bytes) { return {.data = data, .layout = bytes_layout(size_bytes)}; }

}  // namespace parconv
