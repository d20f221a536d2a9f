// The device that tests are made with: it has to see the mistakes that it is there for.
#include "support/fake_device.hpp"

#include <gtest/gtest.h>

#include <array>

namespace parconv::test {
namespace {

using FourBytes = std::array<std::byte, 4>;

FourBytes four(unsigned value) {
  FourBytes bytes;
  bytes.fill(static_cast<std::byte>(value));
  return bytes;
}

void upload(Device& device, const FourBytes& src, DeviceBytes& dst, DeviceLane lane) {
  device.upload(bytes_view(src.data(), src.size()), bytes_view(dst.data(), dst.size()), lane);
}

void download(Device& device, const DeviceBytes& src, FourBytes& dst, DeviceLane lane) {
  device.download(bytes_view(src.data(), src.size()), bytes_view(dst.data(), dst.size()), lane);
}

TEST(FakeDeviceDeathTest, MemoryCannotBeTouched) {
  FakeDevice device;
  DeviceBytes memory = device.allocate(4);
  EXPECT_DEATH(memory.data()[3] = std::byte{1}, "");
  EXPECT_EQ(*device.real(memory.data()), std::byte{0});
  EXPECT_ANY_THROW(device.real(memory.data() + (1 << 20)));
}

TEST(FakeDevice, DoesNothingUntilItIsWaitedFor) {
  FakeDevice device;
  DeviceBytes memory = device.allocate(4);
  FourBytes src = four(1);
  FourBytes dst = four(0);
  upload(device, src, memory, DeviceLane::Compute);
  src = four(2);  // too early
  download(device, memory, dst, DeviceLane::Compute);
  EXPECT_EQ(dst, four(0));
  const auto event = device.make_event(EventKind::Order);
  event->record(DeviceLane::Compute);
  EXPECT_FALSE(event->is_reached());
  while (!event->is_reached()) continue;
  EXPECT_EQ(dst, four(2));
}

TEST(FakeDevice, LanesMeetInEventsOnly) {
  FakeDevice device;
  DeviceBytes memory = device.allocate(4);
  const FourBytes src = four(1);
  for (const bool is_held : {false, true}) {
    FourBytes dst = four(9);
    upload(device, is_held ? src : four(0), memory, DeviceLane::Compute);
    device.synchronize();
    upload(device, src, memory, DeviceLane::Communication);
    const auto event = device.make_event(EventKind::Order);
    event->record(DeviceLane::Communication);
    if (is_held) event->hold(DeviceLane::Compute);
    download(device, memory, dst, DeviceLane::Compute);
    device.advance(DeviceLane::Compute, device.given(DeviceLane::Compute));
    EXPECT_EQ(dst, is_held ? four(1) : four(0));
    device.synchronize();
  }
}

TEST(FakeDevice, AHeldLaneKeepsTheMarkOfThatTime) {
  FakeDevice device;
  const auto event = device.make_event(EventKind::Order);
  int order = 0;
  int first = 0;
  device.submit(DeviceLane::Compute, [&] { first = ++order; });
  event->record(DeviceLane::Compute);
  event->hold(DeviceLane::Communication);
  int second = 0;
  device.submit(DeviceLane::Communication, [&] { second = ++order; });
  int third = 0;
  device.submit(DeviceLane::Compute, [&] { third = ++order; });
  event->record(DeviceLane::Communication);
  while (!event->is_reached()) continue;
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  EXPECT_EQ(third, 0);
  device.synchronize();
  EXPECT_EQ(third, 3);
}

}  // namespace
}  // namespace parconv::test
