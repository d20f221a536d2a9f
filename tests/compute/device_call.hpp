// SPDX-License-Identifier: Apache-2.0
// Calls with operands in device memory.
#pragma once

#include "compute/typed_call.hpp"
#include "parconv/device/devices.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv::test {

/// Copies bytes to a device and back.
class DeviceBuffer {
 public:
  DeviceBuffer(Device& device, std::span<const std::byte> bytes)
      : device_(device), host_(device.allocate(bytes.size(), MemoryKind::Pinned)), memory_(device.allocate(bytes.size())) {
    std::copy(bytes.begin(), bytes.end(), host_.data());
    device.upload(bytes_view(std::as_const(host_).data(), bytes.size()), bytes_view(memory_.data(), bytes.size()),
                  DeviceStream::Compute);
    device.synchronize();
  }

  std::byte* data() { return memory_.data(); }

  std::vector<std::byte> bytes() {
    device_.download(bytes_view(std::as_const(memory_).data(), memory_.size()), bytes_view(host_.data(), host_.size()),
                     DeviceStream::Compute);
    device_.synchronize();
    return {host_.data(), host_.data() + host_.size()};
  }

 private:
  Device& device_;
  DeviceBytes host_;
  DeviceBytes memory_;
};

/// A call on a device, with separate types of sources and result.
class DeviceCall {
 public:
  DeviceCall(Device& device, const TestCall& call, DType src_type, DType dst_type)
      : typed_(call, src_type, dst_type), device_(device) {}

  const LocalOp& op() const { return typed_.op; }

  /// The whole buffer of dst after two executions.
  std::vector<float> run(Kernel& kernel) {
    std::vector<DeviceBuffer> buffers;
    std::vector<const std::byte*> srcs;
    for (TypedOperand& src : typed_.srcs()) {
      buffers.emplace_back(device_, src.memory);
      srcs.push_back(buffers.back().data() + src.first_bytes);
    }
    TypedOperand result = typed_.dst();
    DeviceBuffer dst(device_, result.memory);
    DeviceBytes scratch = device_.allocate(kernel.scratch_bytes());
    for (int repeat = 0; repeat < 2; ++repeat) kernel.execute(srcs, dst.data() + result.first_bytes, scratch.data());
    const std::vector<std::byte> bytes = dst.bytes();
    std::copy(bytes.begin(), bytes.end(), result.memory.begin());
    return result.values();
  }

 private:
  TypedCall typed_;
  Device& device_;
};

}  // namespace parconv::test
