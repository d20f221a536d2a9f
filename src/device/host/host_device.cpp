// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstring>
#include <new>

#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"
#include "parconv/tensor/copy.hpp"

namespace parconv {
namespace {

/// Always reached: work is complete when it is enqueued.
class HostEvent final : public DeviceEvent {
 public:
  void record(DeviceStream) override {}
  void wait(DeviceStream) override {}
  bool is_reached() override { return true; }
  double seconds_since(const DeviceEvent&) const override { return 0; }
};

std::size_t pages_in_bytes(int name) {
  const long pages = ::sysconf(name);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  return pages < 0 || page_bytes < 0 ? 0 : static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes);
}

class HostDevice final : public Device {
 public:
  explicit HostDevice(const ThreadShare& threads) : threads_(threads) {}

  std::string name() const override { return "host"; }
  DevicePlatform platform() const override { return DevicePlatform::Host; }
  DeviceMemory memory() const override {
    return {.free_bytes = pages_in_bytes(_SC_AVPHYS_PAGES), .total_bytes = pages_in_bytes(_SC_PHYS_PAGES)};
  }

  std::unique_ptr<DeviceEvent> make_event(EventKind) override { return std::make_unique<HostEvent>(); }
  void copy(ConstView src, View dst, DeviceStream) override { parconv::copy(src, dst, threads_); }
  void upload(ConstView host, View device, DeviceStream) override { parconv::copy(host, device, threads_); }
  void download(ConstView device, View host, DeviceStream) override { parconv::copy(device, host, threads_); }
  void synchronize() override {}

 protected:
  std::byte* allocate_bytes(std::size_t size_bytes, MemoryKind) override {
    std::byte* const data = AlignedAllocator<std::byte>().allocate(size_bytes);
    std::memset(data, 0, size_bytes);
    return data;
  }
  void free_bytes(std::byte* data, MemoryKind) noexcept override { AlignedAllocator<std::byte>().deallocate(data, 0); }

 private:
  ThreadShare threads_;
};

}  // namespace

std::unique_ptr<Device> make_host_device(const ThreadShare& threads) { return std::make_unique<HostDevice>(threads); }

}  // namespace parconv
