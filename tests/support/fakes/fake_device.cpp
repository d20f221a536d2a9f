// SPDX-License-Identifier: Apache-2.0
#include "support/fakes/fake_device.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

/// How often an event says "not yet" before the work before it is done.
constexpr int refusals = 3;

constexpr std::size_t index_of(DeviceStream stream) { return static_cast<std::size_t>(stream); }
constexpr DeviceStream other(DeviceStream stream) {
  return stream == DeviceStream::Compute ? DeviceStream::Communication : DeviceStream::Compute;
}

/// A point of a stream: so much of its work, and when that ends.
struct Mark {
  DeviceStream stream = DeviceStream::Compute;
  std::uint64_t count = 0;
  std::uint64_t time = 0;
};

}  // namespace

/// Work enqueued on streams during the recording.
struct FakeDevice::Capture {
  /// Where each stream is when the graph is launched.
  using Begin = std::array<std::uint64_t, 2>;
  struct Entry {
    DeviceStream stream = DeviceStream::Compute;
    bool takes_time = false;
    std::function<void(const Begin&)> work{};
  };

  void add(DeviceStream stream, std::function<void(const Begin&)> work, bool takes_time) {
    if (stream == DeviceStream::Communication && !is_forked)
      refuse("the communication stream did not wait for the compute stream before");
    entries.push_back({stream, takes_time, std::move(work)});
    ++counts[index_of(stream)];
  }
  void refuse(const std::string& why) {
    if (problem.empty()) problem = why;
  }
  bool is_joined() const { return awaited_communication == counts[index_of(DeviceStream::Communication)]; }

  int number = 0;
  std::vector<Entry> entries{};
  std::array<std::uint64_t, 2> counts{};
  bool is_forked = false;
  std::uint64_t awaited_communication = 0;  // by the compute stream
  std::string problem{};
};

namespace {

class FakeEvent final : public DeviceEvent {
 public:
  FakeEvent(FakeDevice& device, EventKind kind) : device_(device), kind_(kind) {}

  void record(DeviceStream stream) override {
    FakeDevice::Capture* const capture = device_.current_capture();
    if (capture == nullptr)
      set({.stream = stream, .count = device_.enqueued(stream), .time = device_.time(stream)});
    else if (kind_ == EventKind::Timed)
      capture->add(
          stream, [this, stream](const auto&) { set({stream, device_.done(stream), device_.reached_time(stream)}); }, false);
    else
      set({.stream = stream, .count = capture->counts[index_of(stream)]}, capture->number);
  }

  /// Takes the mark of now along: the event may be recorded again before the stream comes to this point.
  void wait(DeviceStream stream) override {
    FakeDevice::Capture* const capture = device_.current_capture();
    if (capture != nullptr) return wait_captured(stream, *capture);
    PARCONV_EXPECT(captured_in_ < 0, "a stream waits for an event that was recorded in a capture");
    device_.submit(stream, [&device = device_, mark = mark_] { device.advance(mark.stream, mark.count); });
  }

  bool is_reached() override {
    if (device_.current_capture() != nullptr) device_.current_capture()->refuse("an event was asked");
    PARCONV_EXPECT(captured_in_ < 0, "the event was recorded in a capture");
    if (device_.done(mark_.stream) >= mark_.count) return true;
    if (refused_++ < refusals) return false;
    device_.advance(mark_.stream, mark_.count);
    return true;
  }

  double seconds_since(const DeviceEvent& earlier) const override {
    const auto& before = static_cast<const FakeEvent&>(earlier);
    PARCONV_EXPECT(device_.done(mark_.stream) >= mark_.count && before.mark_.count <= mark_.count,
                   "events are not reached, or not in order");
    return static_cast<double>(mark_.time - before.mark_.time) * 1e-6;
  }

 private:
  void set(const Mark& mark, int captured_in = -1) {
    mark_ = mark;
    refused_ = 0;
    captured_in_ = captured_in;
  }

  void wait_captured(DeviceStream stream, FakeDevice::Capture& capture) {
    if (captured_in_ != capture.number) return capture.refuse("a stream waits for work outside of the capture");
    if (stream == DeviceStream::Communication) capture.is_forked = true;
    if (mark_.stream == DeviceStream::Communication)
      capture.awaited_communication = std::max(capture.awaited_communication, mark_.count);
    const auto work = [&device = device_, mark = mark_](const FakeDevice::Capture::Begin& begin) {
      device.advance(mark.stream, begin[index_of(mark.stream)] + mark.count);
    };
    capture.add(stream, work, false);
  }

  FakeDevice& device_;
  EventKind kind_;
  Mark mark_{};
  int refused_ = 0;
  int captured_in_ = -1;
};

class FakeGraph final : public DeviceGraph {
 public:
  FakeGraph(FakeDevice& device, FakeDevice::Capture capture) : device_(device), capture_(std::move(capture)) {}
  void launch() override { device_.launch(capture_); }

 private:
  FakeDevice& device_;
  FakeDevice::Capture capture_;
};

class FakeKernel final : public Kernel {
 public:
  FakeKernel(FakeDevice& device, std::unique_ptr<Kernel> inner) : device_(device), inner_(std::move(inner)) {}

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    std::vector<const std::byte*> operands(srcs.begin(), srcs.end());
    device_.submit(DeviceStream::Compute, [this, operands, dst, scratch]() mutable {
      for (const std::byte*& operand : operands) operand = device_.real(operand);
      inner_->execute(operands, device_.real(dst), scratch == nullptr ? nullptr : device_.real(scratch));
    });
  }
  std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }
  std::size_t resident_bytes() const override { return inner_->resident_bytes(); }
  std::string implementation() const override { return inner_->implementation(); }

 private:
  FakeDevice& device_;
  std::unique_ptr<Kernel> inner_;
};

class FakeBackend final : public Backend {
 public:
  FakeBackend(FakeDevice& device, Backend& inner) : device_(device), inner_(inner) {}

  std::string name() const override { return "fake " + inner_.name(); }
  MemoryRules memory_rules() const override { return inner_.memory_rules(); }
  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    return std::make_unique<FakeKernel>(device_, inner_.prepare(op, read_filter));
  }

 private:
  FakeDevice& device_;
  Backend& inner_;
};

std::size_t whole_pages(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

}  // namespace

FakeDevice::~FakeDevice() {
  for (const auto& [address, mapping] : mappings_) ::munmap(mapping.first, 2 * mapping.bytes);
}

std::unique_ptr<DeviceEvent> FakeDevice::make_event(EventKind kind) { return std::make_unique<FakeEvent>(*this, kind); }

void FakeDevice::copy(ConstView src, View dst, DeviceStream stream) {
  if (volume(src.layout.extents) == 0) return;
  submit(stream, [this, src, dst] { parconv::copy({real(src.data), src.layout}, {real(dst.data), dst.layout}); });
}

void FakeDevice::upload(ConstView host, View device, DeviceStream stream) {
  if (volume(host.layout.extents) == 0) return;
  submit(stream, [this, host, device] { parconv::copy(host, {real(device.data), device.layout}); });
}

void FakeDevice::download(ConstView device, View host, DeviceStream stream) {
  if (volume(host.layout.extents) == 0) return;
  submit(stream, [this, device, host] { parconv::copy({real(device.data), device.layout}, host); });
}

void FakeDevice::synchronize() {
  if (capture_ != nullptr) capture_->refuse("the host waits for the device");
  for (const DeviceStream stream : {DeviceStream::Communication, DeviceStream::Compute}) advance(stream, enqueued(stream));
}

void FakeDevice::submit(DeviceStream stream, std::function<void()> work) {
  if (capture_ == nullptr) return enqueue(stream, std::move(work), costs_.direct);
  // Work may change what it holds, so each launch does it on a copy.
  const auto once = [work = std::move(work)](const Capture::Begin&) {
    const std::function<void()> own = work;
    own();
  };
  capture_->add(stream, once, true);
}

void FakeDevice::enqueue(DeviceStream stream, std::function<void()> work, std::uint64_t cost) {
  Queue& queue = queue_of(stream);
  queue.time += cost;
  queue.work.push_back({std::move(work), queue.time});
  ++queue.enqueued;
}

void FakeDevice::advance(DeviceStream stream, std::uint64_t count) {
  Queue& queue = queue_of(stream);
  while (queue.done < count) {
    const Work work = std::move(queue.work.front());
    queue.work.pop_front();
    queue.reached_time = work.end_time;
    work.work();
    ++queue.done;
  }
}

std::unique_ptr<DeviceGraph> FakeDevice::capture(const std::function<void()>& work) {
  PARCONV_EXPECT(capture_ == nullptr, "a capture within a capture");
  Capture capture;
  capture.number = num_begun_++;
  capture_ = &capture;
  try {
    work();
  } catch (...) {
    capture_ = nullptr;
    throw;
  }
  capture_ = nullptr;
  if (!capture.is_joined()) capture.refuse("the compute stream does not wait for the communication stream");
  if (captures_until_failure_ == 0) capture.refuse("a failure was requested");
  if (captures_until_failure_ >= 0) --captures_until_failure_;
  if (!capture.problem.empty()) throw Error(ExitCode::Unavailable, concat("work cannot be captured: ", capture.problem));
  ++num_captures_;
  return std::make_unique<FakeGraph>(*this, std::move(capture));
}

void FakeDevice::launch(const Capture& capture) {
  PARCONV_EXPECT(capture_ == nullptr, "a launch within a capture");
  ++num_launches_;
  let_wait(DeviceStream::Compute);
  const Capture::Begin begin{enqueued(DeviceStream::Compute), enqueued(DeviceStream::Communication)};
  for (const Capture::Entry& entry : capture.entries)
    enqueue(entry.stream, [work = entry.work, begin] { work(begin); }, entry.takes_time ? costs_.in_graph : 0);
  let_wait(DeviceStream::Communication);
}

void FakeDevice::let_wait(DeviceStream stream) {
  const DeviceStream awaited = other(stream);
  enqueue(stream, [this, awaited, count = enqueued(awaited)] { advance(awaited, count); }, 0);
}

std::byte* FakeDevice::real(std::byte* address) const {
  auto next = mappings_.upper_bound(address);
  PARCONV_EXPECT(next != mappings_.begin(), "no device address");
  const Mapping& mapping = std::prev(next)->second;
  PARCONV_EXPECT(address < mapping.first + mapping.bytes, "no device address");
  return address + mapping.bytes;
}

std::byte* FakeDevice::allocate_bytes(std::size_t size_bytes, MemoryKind kind) {
  if (capture_ != nullptr) capture_->refuse("memory was allocated");
  if (kind == MemoryKind::Pinned) {
    std::byte* const data = AlignedAllocator<std::byte>().allocate(size_bytes);
    std::memset(data, 0, size_bytes);
    return data;
  }
  const std::size_t bytes = whole_pages(size_bytes);
  void* const memory = ::mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  PARCONV_EXPECT(::mprotect(memory, bytes, PROT_NONE) == 0, "mprotect");
  auto* const first = static_cast<std::byte*>(memory);
  mappings_[first] = {.first = first, .bytes = bytes};
  return first;
}

void FakeDevice::free_bytes(std::byte* data, MemoryKind kind) noexcept {
  if (kind == MemoryKind::Pinned) return AlignedAllocator<std::byte>().deallocate(data, 0);
  const auto found = mappings_.find(data);
  ::munmap(found->second.first, 2 * found->second.bytes);
  mappings_.erase(found);
}

std::unique_ptr<Backend> make_fake_backend(FakeDevice& device, Backend& inner) {
  return std::make_unique<FakeBackend>(device, inner);
}

}  // namespace parconv::test
