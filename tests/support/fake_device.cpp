#include "support/fake_device.hpp"

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

constexpr std::size_t index_of(DeviceLane lane) { return static_cast<std::size_t>(lane); }
constexpr DeviceLane other(DeviceLane lane) {
  return lane == DeviceLane::Compute ? DeviceLane::Communication : DeviceLane::Compute;
}

/// A point of a lane: so much of its work, and when that ends.
struct Mark {
  DeviceLane lane = DeviceLane::Compute;
  std::uint64_t count = 0;
  std::uint64_t time = 0;
};

}  // namespace

/// What lanes were given while it was recorded.
struct FakeDevice::Capture {
  /// Where each lane is when the graph is launched.
  using Begin = std::array<std::uint64_t, 2>;
  struct Entry {
    DeviceLane lane = DeviceLane::Compute;
    bool takes_time = false;
    std::function<void(const Begin&)> work{};
  };

  void add(DeviceLane lane, std::function<void(const Begin&)> work, bool takes_time) {
    if (lane == DeviceLane::Communication && !is_forked) refuse("the communication lane was not held by the compute lane before");
    entries.push_back({lane, takes_time, std::move(work)});
    ++counts[index_of(lane)];
  }
  void refuse(const std::string& why) {
    if (problem.empty()) problem = why;
  }
  bool is_joined() const { return held_of_communication == counts[index_of(DeviceLane::Communication)]; }

  int number = 0;
  std::vector<Entry> entries{};
  std::array<std::uint64_t, 2> counts{};
  bool is_forked = false;
  std::uint64_t held_of_communication = 0;  // by the compute lane
  std::string problem{};
};

namespace {

class FakeEvent final : public DeviceEvent {
 public:
  FakeEvent(FakeDevice& device, EventKind kind) : device_(device), kind_(kind) {}

  void record(DeviceLane lane) override {
    FakeDevice::Capture* const capture = device_.current_capture();
    if (capture == nullptr)
      set({.lane = lane, .count = device_.given(lane), .time = device_.time(lane)});
    else if (kind_ == EventKind::Timed)
      capture->add(
          lane,
          [this, lane](const auto&) {
            set({lane, device_.done(lane), device_.reached_time(lane)});
          },
          false);
    else
      set({.lane = lane, .count = capture->counts[index_of(lane)]}, capture->number);
  }

  /// Takes the mark of now along: the event may be recorded again before the lane comes to this point.
  void hold(DeviceLane lane) override {
    FakeDevice::Capture* const capture = device_.current_capture();
    if (capture != nullptr) return hold_captured(lane, *capture);
    PARCONV_EXPECT(captured_in_ < 0, "a lane waits for an event that was recorded in a capture");
    device_.submit(lane, [&device = device_, mark = mark_] { device.advance(mark.lane, mark.count); });
  }

  bool is_reached() override {
    if (device_.current_capture() != nullptr) device_.current_capture()->refuse("an event was asked");
    PARCONV_EXPECT(captured_in_ < 0, "the event was recorded in a capture");
    if (device_.done(mark_.lane) >= mark_.count) return true;
    if (refused_++ < refusals) return false;
    device_.advance(mark_.lane, mark_.count);
    return true;
  }

  double seconds_since(const DeviceEvent& earlier) const override {
    const auto& before = static_cast<const FakeEvent&>(earlier);
    PARCONV_EXPECT(device_.done(mark_.lane) >= mark_.count && before.mark_.count <= mark_.count,
                   "events are not reached, or not in order");
    return static_cast<double>(mark_.time - before.mark_.time) * 1e-6;
  }

 private:
  void set(const Mark& mark, int captured_in = -1) {
    mark_ = mark;
    refused_ = 0;
    captured_in_ = captured_in;
  }

  void hold_captured(DeviceLane lane, FakeDevice::Capture& capture) {
    if (captured_in_ != capture.number) return capture.refuse("a lane waits for work outside of the capture");
    if (lane == DeviceLane::Communication) capture.is_forked = true;
    if (mark_.lane == DeviceLane::Communication)
      capture.held_of_communication = std::max(capture.held_of_communication, mark_.count);
    const auto wait = [&device = device_, mark = mark_](const FakeDevice::Capture::Begin& begin) {
      device.advance(mark.lane, begin[index_of(mark.lane)] + mark.count);
    };
    capture.add(lane, wait, false);
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
    device_.submit(DeviceLane::Compute, [this, operands, dst, scratch]() mutable {
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

void FakeDevice::copy(ConstView src, View dst, DeviceLane lane) {
  if (volume(src.layout.extents) == 0) return;
  submit(lane, [this, src, dst] { parconv::copy({real(src.data), src.layout}, {real(dst.data), dst.layout}); });
}

void FakeDevice::upload(ConstView host, View device, DeviceLane lane) {
  if (volume(host.layout.extents) == 0) return;
  submit(lane, [this, host, device] { parconv::copy(host, {real(device.data), device.layout}); });
}

void FakeDevice::download(ConstView device, View host, DeviceLane lane) {
  if (volume(host.layout.extents) == 0) return;
  submit(lane, [this, device, host] { parconv::copy({real(device.data), device.layout}, host); });
}

void FakeDevice::synchronize() {
  if (capture_ != nullptr) capture_->refuse("somebody waits for the device");
  for (const DeviceLane lane : {DeviceLane::Communication, DeviceLane::Compute}) advance(lane, given(lane));
}

void FakeDevice::submit(DeviceLane lane, std::function<void()> work) {
  if (capture_ == nullptr) return give(lane, std::move(work), costs_.direct);
  // Work may change what it holds, so each launch does it on a copy.
  const auto once = [work = std::move(work)](const Capture::Begin&) {
    const std::function<void()> own = work;
    own();
  };
  capture_->add(lane, once, true);
}

void FakeDevice::give(DeviceLane lane_name, std::function<void()> work, std::uint64_t cost) {
  Lane& lane = lane_of(lane_name);
  lane.time += cost;
  lane.work.push_back({std::move(work), lane.time});
  ++lane.given;
}

void FakeDevice::advance(DeviceLane lane_name, std::uint64_t count) {
  Lane& lane = lane_of(lane_name);
  while (lane.done < count) {
    const Work work = std::move(lane.work.front());
    lane.work.pop_front();
    lane.reached_time = work.end_time;
    work.work();
    ++lane.done;
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
  if (!capture.is_joined()) capture.refuse("the compute lane does not wait for the communication lane");
  if (captures_until_failure_ >= 0 && captures_until_failure_-- == 0) capture.refuse("it was told to fail");
  if (!capture.problem.empty()) throw Error(ExitCode::Unavailable, concat("work cannot be captured: ", capture.problem));
  ++num_captures_;
  return std::make_unique<FakeGraph>(*this, std::move(capture));
}

void FakeDevice::launch(const Capture& capture) {
  PARCONV_EXPECT(capture_ == nullptr, "a launch within a capture");
  ++num_launches_;
  let_wait(DeviceLane::Compute);
  const Capture::Begin begin{given(DeviceLane::Compute), given(DeviceLane::Communication)};
  for (const Capture::Entry& entry : capture.entries)
    give(
        entry.lane, [work = entry.work, begin] { work(begin); }, entry.takes_time ? costs_.in_graph : 0);
  let_wait(DeviceLane::Communication);
}

void FakeDevice::let_wait(DeviceLane lane) {
  const DeviceLane awaited = other(lane);
  give(
      lane, [this, awaited, count = given(awaited)] { advance(awaited, count); }, 0);
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
