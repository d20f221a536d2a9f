// The device that tests are made with: it has to see the mistakes that it is there for.
#include "support/fake_device.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "parconv/core/error.hpp"

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
    const FourBytes before = is_held ? src : four(0);
    FourBytes dst = four(9);
    upload(device, before, memory, DeviceLane::Compute);
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

/// Bytes that a graph takes from `src` to `dst` through device memory: out on the communication lane, which waits for the way in.
class Passage {
 public:
  explicit Passage(FakeDevice& device)
      : device_(device),
        memory_(device.allocate(4)),
        is_in_(device.make_event(EventKind::Order)),
        is_out_(device.make_event(EventKind::Order)) {}

  void give() {
    upload(device_, src, memory_, DeviceLane::Compute);
    is_in_->record(DeviceLane::Compute);
    is_in_->hold(DeviceLane::Communication);
    download(device_, memory_, dst, DeviceLane::Communication);
    is_out_->record(DeviceLane::Communication);
  }
  void join() { is_out_->hold(DeviceLane::Compute); }

  FourBytes src = four(0);
  FourBytes dst = four(0);

 private:
  FakeDevice& device_;
  DeviceBytes memory_;
  std::unique_ptr<DeviceEvent> is_in_;
  std::unique_ptr<DeviceEvent> is_out_;
};

TEST(FakeDevice, DoesWhatWasCapturedAtEveryLaunch) {
  FakeDevice device;
  Passage passage(device);
  const auto graph = device.capture([&] {
    passage.give();
    passage.join();
  });
  passage.src = four(1);
  device.synchronize();
  EXPECT_EQ(passage.dst, four(0)) << "nothing is done when it is captured";
  for (const unsigned value : {2U, 3U}) {
    passage.src = four(value);
    graph->launch();
    device.advance(DeviceLane::Compute, device.given(DeviceLane::Compute));
    EXPECT_EQ(passage.dst, four(value));
  }
  EXPECT_EQ(device.num_launches(), 2);
}

TEST(FakeDevice, ALaunchKeepsItsPlaceInBothLanes) {
  FakeDevice device;
  std::string log;
  const auto note = [&](char letter) { return [&log, letter] { log += letter; }; };
  const auto graph = device.capture([&] { device.submit(DeviceLane::Compute, note('g')); });
  device.submit(DeviceLane::Communication, note('a'));
  graph->launch();
  device.submit(DeviceLane::Communication, note('b'));
  device.synchronize();
  EXPECT_EQ(log, "agb");
}

TEST(FakeDevice, TimedEventsOfAGraphAreRecordedByItsLaunches) {
  FakeDevice device;
  device.set_costs({.direct = 5, .in_graph = 3});
  const auto begin = device.make_event(EventKind::Timed);
  const auto end = device.make_event(EventKind::Timed);
  const auto graph = device.capture([&] {
    begin->record(DeviceLane::Compute);
    device.submit(DeviceLane::Compute, [] {});
    device.submit(DeviceLane::Compute, [] {});
    end->record(DeviceLane::Compute);
  });
  graph->launch();
  device.synchronize();
  EXPECT_DOUBLE_EQ(end->seconds_since(*begin), 6e-6);
}

void expect_refused(FakeDevice& device, const std::string& problem, const std::function<void()>& work) {
  try {
    device.capture(work);
    ADD_FAILURE() << "captured, not refused: " << problem;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(problem), std::string::npos) << error.what();
  }
}

TEST(FakeDevice, RefusesToCaptureWhatDevicesRefuse) {
  FakeDevice device;
  Passage passage(device);
  const auto event = device.make_event(EventKind::Order);
  expect_refused(device, "does not wait for the communication lane", [&] { passage.give(); });
  expect_refused(device, "was not held", [&] { device.submit(DeviceLane::Communication, [] {}); });
  event->record(DeviceLane::Compute);
  expect_refused(device, "outside of the capture", [&] { event->hold(DeviceLane::Communication); });
  expect_refused(device, "an event was asked", [&] { event->is_reached(); });
  expect_refused(device, "memory was allocated", [&] { device.allocate(4); });
  expect_refused(device, "waits for the device", [&] { device.synchronize(); });
  expect_refused(device, "of its own", [] { throw Error(ExitCode::Io, "a failure of its own"); });
  device.fail_capture(1);
  EXPECT_NE(device.capture([] {}), nullptr);
  expect_refused(device, "told to fail", [] {});
  EXPECT_NE(device.capture([] {}), nullptr);
}

TEST(FakeDevice, EventsOfACaptureTellNothingOutside) {
  FakeDevice device;
  const auto event = device.make_event(EventKind::Order);
  device.capture([&] { event->record(DeviceLane::Compute); });
  EXPECT_THROW(event->is_reached(), Bug);
  EXPECT_THROW(event->hold(DeviceLane::Communication), Bug);
  event->record(DeviceLane::Compute);
  EXPECT_TRUE(event->is_reached());
}

}  // namespace
}  // namespace parconv::test
