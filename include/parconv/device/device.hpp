// SPDX-License-Identifier: Apache-2.0
// The memory and streams of a device: the host or a GPU.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "parconv/tensor/view.hpp"

namespace parconv {

/// The platform of a device. Queried only by the factories of backends, engines and communicators.
enum class DevicePlatform {
  Host,   ///< host memory; work is complete when it is enqueued
  Cuda,   ///< a GPU; streams are cudaStream_t
  Custom  ///< defined by the caller, with a backend of its own
};

/// The streams of a device. A stream executes its work in the order of enqueueing; streams synchronise only through events.
enum class DeviceStream { Compute, Communication };

/// Device memory, or page-locked host memory that the device accesses directly.
enum class MemoryKind { Device, Pinned };

/// Free and total memory of a device.
struct DeviceMemory {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
};

class Device;

/// Owner of zeroed memory, aligned to at least `memory_alignment`. The device must outlive it.
class DeviceBytes {
 public:
  DeviceBytes() = default;
  ~DeviceBytes() { release(); }
  DeviceBytes(DeviceBytes&& other) noexcept { swap(other); }
  DeviceBytes& operator=(DeviceBytes&& other) noexcept {
    DeviceBytes(std::move(other)).swap(*this);
    return *this;
  }

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  friend class Device;
  DeviceBytes(Device& device, MemoryKind kind, std::byte* data, std::size_t size)
      : device_(&device), kind_(kind), data_(data), size_(size) {}
  void release() noexcept;
  void swap(DeviceBytes& other) noexcept;

  Device* device_ = nullptr;
  MemoryKind kind_ = MemoryKind::Device;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Events for ordering only, or also for timing, which costs a little more. In captured work (Device::capture) an Order event
/// only orders that work and is not visible to the caller; a Timed event is recorded by every launch.
enum class EventKind { Order, Timed };

/// A mark in a stream. Created once, recorded many times. An event that was never recorded counts as reached.
class DeviceEvent {
 public:
  virtual ~DeviceEvent() = default;

  /// Marks the end of all work enqueued on `stream` so far.
  virtual void record(DeviceStream stream) = 0;
  /// Makes all later work of `stream` wait for the mark. Does not block the caller.
  virtual void wait(DeviceStream stream) = 0;
  /// True once all work before the mark is complete. Does not block. Throws Error if the device failed.
  virtual bool is_reached() = 0;
  /// Time between two marks of one stream; 0 on the host. Preconditions: both events are Timed and reached.
  virtual double seconds_since(const DeviceEvent& earlier) const = 0;
};

/// Captured work of the streams: every launch repeats it with the captured addresses. The device and all memory that the work
/// uses must outlive it.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;

  /// Enqueues the work on both streams: after all earlier work of either and before all later work of either. Does not block.
  virtual void launch() = 0;
};

/// Memory, streams and copies of one device, used by one thread. Work is enqueued on streams and may complete later: the memory
/// that it reads and writes must stay valid until an event recorded after it is reached. Local: no method communicates.
class Device {
 public:
  virtual ~Device() = default;

  /// "host", or the name of the GPU.
  virtual std::string name() const = 0;
  virtual DevicePlatform platform() const = 0;
  virtual DeviceMemory memory() const = 0;

  /// Allocates zeroed memory. Throws Error(OutOfMemory) with the requested and free bytes. Not for the steady loop.
  DeviceBytes allocate(std::size_t size_bytes, MemoryKind kind = MemoryKind::Device);
  virtual std::unique_ptr<DeviceEvent> make_event(EventKind kind = EventKind::Order) = 0;

  /// Enqueues dst = src on `stream`, both in device memory. Preconditions: equal extents and types, no overlap.
  virtual void copy(ConstView src, View dst, DeviceStream stream) = 0;
  /// Enqueues a copy from pinned host memory to device memory, or back. Preconditions as for copy.
  virtual void upload(ConstView host, View device, DeviceStream stream) = 0;
  virtual void download(ConstView device, View host, DeviceStream stream) = 0;

  /// Enqueues a copy from a view to dense memory in (n, d, h, w, c) order, or back; all in device memory.
  void pack(ConstView src, std::byte* packed, DeviceStream stream);
  void unpack(const std::byte* packed, View dst, DeviceStream stream);

  /// The reason why `capture` is unavailable; empty if it is available.
  virtual std::string capture_problem() const;
  /// Captures the work that `work` enqueues instead of executing it. The communication stream joins the capture when it first
  /// waits for an event of the compute stream, and the compute stream must wait for its last event. `work` must not allocate,
  /// block or query events. Throws Error if the work cannot be captured and rethrows exceptions of `work`; the streams are then
  /// unchanged.
  virtual std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work);

  /// Blocks until all work of all streams is complete. Throws Error if any of it failed.
  virtual void synchronize() = 0;

  /// The stream's native handle (a cudaStream_t) for libraries that take one; null on the host.
  virtual void* native_stream(DeviceStream stream) const;

  /// Opens a profiler range, which the matching end_range closes. Ranges may be nested.
  virtual void begin_range(const char* name);
  virtual void end_range();

 protected:
  /// Zeroed memory of at least one byte.
  virtual std::byte* allocate_bytes(std::size_t size_bytes, MemoryKind kind) = 0;
  virtual void free_bytes(std::byte* data, MemoryKind kind) noexcept = 0;

 private:
  friend class DeviceBytes;
};

/// A profiler range for a scope.
class DeviceRange {
 public:
  DeviceRange(Device& device, const char* name) : device_(device) { device_.begin_range(name); }
  ~DeviceRange() { device_.end_range(); }
  DeviceRange(const DeviceRange&) = delete;
  DeviceRange& operator=(const DeviceRange&) = delete;

 private:
  Device& device_;
};

/// Views raw bytes as a tensor, for uploads and downloads.
View bytes_view(std::byte* data, std::size_t size_bytes);
ConstView bytes_view(const std::byte* data, std::size_t size_bytes);

}  // namespace parconv
