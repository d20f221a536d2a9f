// SPDX-License-Identifier: Apache-2.0
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

/// Device memory has addresses that no host code can read or write: touching them ends the process. Enqueued work is done
/// as late as possible, when an event after it is waited for: code that forgets to wait finds old bytes, and memory that changes
/// too early is read changed. Its clock counts the work of each stream. It refuses to capture the same work as real devices.
class FakeDevice final : public Device {
 public:
  FakeDevice() = default;
  ~FakeDevice() override;
  FakeDevice(const FakeDevice&) = delete;
  FakeDevice& operator=(const FakeDevice&) = delete;

  std::string name() const override { return "fake"; }
  DevicePlatform platform() const override { return DevicePlatform::Custom; }
  DeviceMemory memory() const override { return {.free_bytes = std::size_t{1} << 34, .total_bytes = std::size_t{1} << 34}; }
  std::unique_ptr<DeviceEvent> make_event(EventKind kind) override;
  void copy(ConstView src, View dst, DeviceStream stream) override;
  void upload(ConstView host, View device, DeviceStream stream) override;
  void download(ConstView device, View host, DeviceStream stream) override;
  void synchronize() override;
  std::string capture_problem() const override { return {}; }
  std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override;

  /// From now on the capture `number` (from 0, counted from here) fails; -1: none.
  void fail_capture(int number) { captures_until_failure_ = number; }
  /// Duration of work enqueued directly, and of work in a graph, in microseconds.
  struct Costs {
    std::uint64_t direct = 1;
    std::uint64_t in_graph = 1;
  };
  void set_costs(const Costs& costs) { costs_ = costs; }
  /// Graphs that were captured, and launches.
  int num_captures() const { return num_captures_; }
  int num_launches() const { return num_launches_; }

  /// Enqueues any work on a stream.
  void submit(DeviceStream stream, std::function<void()> work);
  /// Where work that has its turn finds the bytes of a device address. Throws Bug for any other address.
  std::byte* real(std::byte* address) const;
  const std::byte* real(const std::byte* address) const { return real(const_cast<std::byte*>(address)); }

  /// Work that was enqueued on a stream so far, and what of it is done.
  std::uint64_t enqueued(DeviceStream stream) const { return queue_of(stream).enqueued; }
  std::uint64_t done(DeviceStream stream) const { return queue_of(stream).done; }
  /// Does the work of a stream until `count` of it is done.
  void advance(DeviceStream stream, std::uint64_t count);
  /// When the work enqueued on a stream so far ends, if nothing waits.
  std::uint64_t time(DeviceStream stream) const { return queue_of(stream).time; }
  std::uint64_t reached_time(DeviceStream stream) const { return queue_of(stream).reached_time; }

  struct Capture;
  /// Null outside captures.
  Capture* current_capture() { return capture_; }
  /// Enqueues captured work on the streams.
  void launch(const Capture& capture);

 protected:
  std::byte* allocate_bytes(std::size_t size_bytes, MemoryKind kind) override;
  void free_bytes(std::byte* data, MemoryKind kind) noexcept override;

 private:
  struct Work {
    std::function<void()> work{};
    std::uint64_t end_time = 0;
  };
  struct Queue {
    std::deque<Work> work{};
    std::uint64_t enqueued = 0;
    std::uint64_t done = 0;
    std::uint64_t time = 0;          // when all enqueued work ends
    std::uint64_t reached_time = 0;  // when the completed work ended
  };
  /// Addresses [first, first + bytes) are not accessible; the bytes are `bytes` further on.
  struct Mapping {
    std::byte* first = nullptr;
    std::size_t bytes = 0;
  };

  Queue& queue_of(DeviceStream stream) { return queues_[static_cast<std::size_t>(stream)]; }
  const Queue& queue_of(DeviceStream stream) const { return queues_[static_cast<std::size_t>(stream)]; }

  void enqueue(DeviceStream stream, std::function<void()> work, std::uint64_t cost);
  /// The stream waits for all work enqueued on the other one.
  void let_wait(DeviceStream stream);

  std::array<Queue, 2> queues_{};
  Capture* capture_ = nullptr;
  Costs costs_{};
  int captures_until_failure_ = -1;
  int num_begun_ = 0;
  int num_captures_ = 0;
  int num_launches_ = 0;
  std::map<const std::byte*, Mapping> mappings_{};
};

/// Computes with `inner`, a backend for host memory, on the compute stream of the device. Both must outlive it.
std::unique_ptr<Backend> make_fake_backend(FakeDevice& device, Backend& inner);

}  // namespace parconv::test
