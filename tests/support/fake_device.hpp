// A device without hardware, as unhelpful as a device may be.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "parconv/compute/backend.hpp"
#include "parconv/device/device.hpp"

namespace parconv::test {

/// Device memory has addresses that no host code can read or write: touching them ends the process. What a lane is given is done
/// as late as possible, when an event after it is waited for, so that whoever forgets to wait finds old bytes, and whoever does
/// not wait long enough finds that memory has changed before it was read.
class FakeDevice final : public Device {
 public:
  FakeDevice() = default;
  ~FakeDevice() override;
  FakeDevice(const FakeDevice&) = delete;
  FakeDevice& operator=(const FakeDevice&) = delete;

  std::string name() const override { return "fake"; }
  bool is_host() const override { return false; }
  DeviceMemory memory() const override { return {.free_bytes = std::size_t{1} << 34, .total_bytes = std::size_t{1} << 34}; }
  std::unique_ptr<DeviceEvent> make_event(EventKind kind) override;
  void copy(ConstView src, View dst, DeviceLane lane) override;
  void upload(ConstView host, View device, DeviceLane lane) override;
  void download(ConstView device, View host, DeviceLane lane) override;
  void synchronize() override;

  /// Gives any work to a lane.
  void submit(DeviceLane lane, std::function<void()> work);
  /// Where work that has its turn finds the bytes of a device address. Throws Bug for any other address.
  std::byte* real(std::byte* address) const;
  const std::byte* real(const std::byte* address) const { return real(const_cast<std::byte*>(address)); }

  /// Work that was given to a lane so far, and what of it is done.
  std::uint64_t given(DeviceLane lane) const { return lane_of(lane).given; }
  std::uint64_t done(DeviceLane lane) const { return lane_of(lane).done; }
  /// Does the work of a lane until `count` of it is done.
  void advance(DeviceLane lane, std::uint64_t count);

 protected:
  std::byte* allocate_bytes(std::size_t size_bytes, MemoryKind kind) override;
  void free_bytes(std::byte* data, MemoryKind kind) noexcept override;

 private:
  struct Lane {
    std::deque<std::function<void()>> work{};
    std::uint64_t given = 0;
    std::uint64_t done = 0;
  };
  /// Addresses [first, first + bytes) are not accessible; the bytes are `bytes` further on.
  struct Mapping {
    std::byte* first = nullptr;
    std::size_t bytes = 0;
  };

  Lane& lane_of(DeviceLane lane) { return lanes_[static_cast<std::size_t>(lane)]; }
  const Lane& lane_of(DeviceLane lane) const { return lanes_[static_cast<std::size_t>(lane)]; }

  std::array<Lane, 2> lanes_{};
  std::map<const std::byte*, Mapping> mappings_{};
};

/// Computes with `inner`, a backend for host memory, on the compute lane of the device. Both must outlive it.
std::unique_ptr<Backend> make_fake_backend(FakeDevice& device, Backend& inner);

}  // namespace parconv::test
