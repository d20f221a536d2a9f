#include "support/fake_device.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <vector>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

/// How often an event says "not yet" before the work before it is done.
constexpr int refusals = 3;

class FakeEvent final : public DeviceEvent {
 public:
  explicit FakeEvent(FakeDevice& device) : device_(device) {}

  void record(DeviceLane lane) override {
    lane_ = lane;
    count_ = device_.given(lane);
    refused_ = 0;
  }
  /// Takes the mark of now along: the event may be recorded again before the lane comes to this point.
  void hold(DeviceLane lane) override {
    device_.submit(lane, [&device = device_, from = lane_, count = count_] { device.advance(from, count); });
  }
  bool is_reached() override {
    if (device_.done(lane_) >= count_) return true;
    if (refused_++ < refusals) return false;
    device_.advance(lane_, count_);
    return true;
  }
  double seconds_since(const DeviceEvent& earlier) const override {
    const auto& other = static_cast<const FakeEvent&>(earlier);
    PARCONV_EXPECT(device_.done(lane_) >= count_ && other.count_ <= count_, "events are not reached, or not in order");
    return static_cast<double>(count_ - other.count_) * 1e-6;
  }

 private:
  FakeDevice& device_;
  DeviceLane lane_ = DeviceLane::Compute;
  std::uint64_t count_ = 0;
  int refused_ = 0;
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

std::unique_ptr<DeviceEvent> FakeDevice::make_event(EventKind) { return std::make_unique<FakeEvent>(*this); }

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
  for (const DeviceLane lane : {DeviceLane::Communication, DeviceLane::Compute}) advance(lane, given(lane));
}

void FakeDevice::submit(DeviceLane lane, std::function<void()> work) {
  lane_of(lane).work.push_back(std::move(work));
  ++lane_of(lane).given;
}

void FakeDevice::advance(DeviceLane lane_name, std::uint64_t count) {
  Lane& lane = lane_of(lane_name);
  while (lane.done < count) {
    const std::function<void()> work = std::move(lane.work.front());
    lane.work.pop_front();
    work();
    ++lane.done;
  }
}

std::byte* FakeDevice::real(std::byte* address) const {
  auto next = mappings_.upper_bound(address);
  PARCONV_EXPECT(next != mappings_.begin(), "no device address");
  const Mapping& mapping = std::prev(next)->second;
  PARCONV_EXPECT(address < mapping.first + mapping.bytes, "no device address");
  return address + mapping.bytes;
}

std::byte* FakeDevice::allocate_bytes(std::size_t size_bytes, MemoryKind kind) {
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
