// Where a rank's tensors live and what moves them: the memory of the host, or of a GPU.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "parconv/tensor/view.hpp"

namespace parconv {

/// Queues of work. A lane does its work in the order in which it was given; lanes wait for each other only where an event says
/// so.
enum class DeviceLane { Compute, Communication };

/// Memory of the device, or memory of the host that the device reads and writes without help of a processor.
enum class MemoryKind { Device, Pinned };

/// Bytes of a device's memory.
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

/// What an event is for: the order of work only, or its times too, which costs a little more. In captured work (Device::capture)
/// an Order event orders that work and tells callers nothing, a Timed event is recorded by every launch.
enum class EventKind { Order, Timed };

/// A point in the work of a lane. Made once, recorded again and again. An event that was never recorded counts as reached.
class DeviceEvent {
 public:
  virtual ~DeviceEvent() = default;

  /// Marks the end of all work that `lane` has been given so far.
  virtual void record(DeviceLane lane) = 0;
  /// What `lane` is given from now on begins after the mark. Does not block the caller.
  virtual void hold(DeviceLane lane) = 0;
  /// True once all work before the mark is done. Does not block. Throws Error if the device failed.
  virtual bool is_reached() = 0;
  /// Time between two reached points of one lane; 0 on the host. Precondition: both events are Timed.
  virtual double seconds_since(const DeviceEvent& earlier) const = 0;
};

/// Work of the lanes that was captured: it is done by every launch, with the addresses that it was captured with. The device, and
/// all that the work uses, must outlive it.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;

  /// Gives the work to the lanes: after all that either of them was given before, and before all that either is given afterwards.
  virtual void launch() = 0;
};

/// Memory and copies of one device, used by one thread. Work is given to lanes and may be done later: memory that it reads and
/// writes stays as it is until an event after it is reached. Local: nothing here communicates.
class Device {
 public:
  virtual ~Device() = default;

  /// "host", or the name of the GPU.
  virtual std::string name() const = 0;
  /// True if device memory is host memory and work is done at once: what host code reads and writes needs no staging.
  virtual bool is_host() const = 0;
  virtual DeviceMemory memory() const = 0;

  /// Zeroed. Throws Error(OutOfMemory) with the numbers. Not for the steady loop.
  DeviceBytes allocate(std::size_t size_bytes, MemoryKind kind = MemoryKind::Device);
  virtual std::unique_ptr<DeviceEvent> make_event(EventKind kind = EventKind::Order) = 0;

  /// dst = src, element by element, both in device memory. Precondition: same extents and types, no overlap.
  virtual void copy(ConstView src, View dst, DeviceLane lane) = 0;
  /// From pinned host memory to device memory, and back. Preconditions as for copy.
  virtual void upload(ConstView host, View device, DeviceLane lane) = 0;
  virtual void download(ConstView device, View host, DeviceLane lane) = 0;

  /// Packs a view into dense memory (n, d, h, w, c order), and back; all in device memory.
  void pack(ConstView src, std::byte* packed, DeviceLane lane);
  void unpack(const std::byte* packed, View dst, DeviceLane lane);

  /// Why `capture` cannot be used here; empty if it can.
  virtual std::string capture_problem() const;
  /// Records what `work` gives to the lanes, and does nothing of it. The communication lane takes part from where it is first
  /// held by a mark of the compute lane, which has to be held by a mark of its end. `work` may not allocate, block, or ask
  /// events. Throws what `work` throws, and Error if its work cannot be captured; the lanes are as before then.
  virtual std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work);

  /// Blocks until all work of all lanes is done. Throws Error if some of it failed.
  virtual void synchronize() = 0;

  /// The lane's stream for libraries that take one (a cudaStream_t); null on the host.
  virtual void* native_stream(DeviceLane lane) const;

  /// Names what is given to the device until the matching end_range, for profilers. Ranges may lie in each other.
  virtual void begin_range(const char* name);
  virtual void end_range();

 protected:
  /// Zeroed memory of at least one byte.
  virtual std::byte* allocate_bytes(std::size_t size_bytes, MemoryKind kind) = 0;
  virtual void free_bytes(std::byte* data, MemoryKind kind) noexcept = 0;

 private:
  friend class DeviceBytes;
};

/// A range of a profiler for a scope.
class DeviceRange {
 public:
  DeviceRange(Device& device, const char* name) : device_(device) { device_.begin_range(name); }
  ~DeviceRange() { device_.end_range(); }
  DeviceRange(const DeviceRange&) = delete;
  DeviceRange& operator=(const DeviceRange&) = delete;

 private:
  Device& device_;
};

/// Bytes as a view, for uploads and downloads.
View bytes_view(std::byte* data, std::size_t size_bytes);
ConstView bytes_view(const std::byte* data, std::size_t size_bytes);

}  // namespace parconv
