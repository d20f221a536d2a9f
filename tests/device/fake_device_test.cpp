// SPDX-License-Identifier: Apache-2.0
// The fake device of the tests must detect the mistakes that it was written for.
#include "support/fakes/fake_device.hpp"

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

void upload(Device& device, const FourBytes& src, DeviceBytes& dst, DeviceStream stream) {
  device.upload(bytes_view(src.data(), src.size()), bytes_view(dst.data(), dst.size()), stream);
}

void download(Device& device, const DeviceBytes& src, FourBytes& dst, DeviceStream stream) {
  device.download(bytes_view(src.data(), src.size()), bytes_view(dst.data(), dst.size()), stream);
}

TEST(FakeDeviceDeathTest, MemoryIsInaccessible) {
  FakeDevice device;
  DeviceBytes memory = device.allocate(4);
  EXPECT_DEATH(memory.data()[3] = std::byte{1}, "");
  EXPECT_EQ(*device.real(memory.data()), std::byte{0});
  EXPECT_ANY_THROW(device.real(memory.data() + (1 << 20)));
}

TEST(FakeDevice, DefersWorkUntilAWait) {
  FakeDevice device;
  DeviceBytes memory = device.allocate(4);
  FourBytes src = four(1);
  FourBytes dst = four(0);
  upload(device, src, memory, DeviceStream::Compute);
  src = four(2);  // too early
  download(device, memory, dst, DeviceStream::Compute);
  EXPECT_EQ(dst, four(0));
  const auto event = device.make_event(EventKind::Order);
  event->record(DeviceStream::Compute);
  EXPECT_FALSE(event->is_reached());
  while (!event->is_reached()) continue;
  EXPECT_EQ(dst, four(2));
}

TEST(FakeDevice, StreamsSynchroniseThroughEventsOnly) {
  FakeDevice device;
  DeviceBytes memory = device.allocate(4);
  const FourBytes src = four(1);
  for (const bool is_held : {false, true}) {
    const FourBytes before = is_held ? src : four(0);
    FourBytes dst = four(9);
    upload(device, before, memory, DeviceStream::Compute);
    device.synchronize();
    upload(device, src, memory, DeviceStream::Communication);
    const auto event = device.make_event(EventKind::Order);
    event->record(DeviceStream::Communication);
    if (is_held) event->wait(DeviceStream::Compute);
    download(device, memory, dst, DeviceStream::Compute);
    device.advance(DeviceStream::Compute, device.enqueued(DeviceStream::Compute));
    EXPECT_EQ(dst, is_held ? four(1) : four(0));
    device.synchronize();
  }
}

TEST(FakeDevice, HeldStreamKeepsItsEventMark) {
  FakeDevice device;
  const auto event = device.make_event(EventKind::Order);
  int order = 0;
  int first = 0;
  device.submit(DeviceStream::Compute, [&] { first = ++order; });
  event->record(DeviceStream::Compute);
  event->wait(DeviceStream::Communication);
  int second = 0;
  device.submit(DeviceStream::Communication, [&] { second = ++order; });
  int third = 0;
  device.submit(DeviceStream::Compute, [&] { third = ++order; });
  event->record(DeviceStream::Communication);
  while (!event->is_reached()) continue;
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  EXPECT_EQ(third, 0);
  device.synchronize();
  EXPECT_EQ(third, 3);
}

/// A graph that copies bytes from `src` to `dst` through device memory: up on the compute stream, down on the communication
/// stream, which waits for the upload.
class Passage {
 public:
  explicit Passage(FakeDevice& device)
      : device_(device),
        memory_(device.allocate(4)),
        is_in_(device.make_event(EventKind::Order)),
        is_out_(device.make_event(EventKind::Order)) {}

  void enqueue() {
    upload(device_, src, memory_, DeviceStream::Compute);
    is_in_->record(DeviceStream::Compute);
    is_in_->wait(DeviceStream::Communication);
    download(device_, memory_, dst, DeviceStream::Communication);
    is_out_->record(DeviceStream::Communication);
  }
  void join() { is_out_->wait(DeviceStream::Compute); }

  FourBytes src = four(0);
  FourBytes dst = four(0);

 private:
  FakeDevice& device_;
  DeviceBytes memory_;
  std::unique_ptr<DeviceEvent> is_in_;
  std::unique_ptr<DeviceEvent> is_out_;
};

TEST(FakeDevice, RepeatsCapturedWorkAtEveryLaunch) {
  FakeDevice device;
  Passage passage(device);
  const auto graph = device.capture([&] {
    passage.enqueue();
    passage.join();
  });
  passage.src = four(1);
  device.synchronize();
  EXPECT_EQ(passage.dst, four(0)) << "nothing is done when it is captured";
  for (const unsigned value : {2U, 3U}) {
    passage.src = four(value);
    graph->launch();
    device.advance(DeviceStream::Compute, device.enqueued(DeviceStream::Compute));
    EXPECT_EQ(passage.dst, four(value));
  }
  EXPECT_EQ(device.num_launches(), 2);
}

TEST(FakeDevice, LaunchIsOrderedInBothStreams) {
  FakeDevice device;
  std::string log;
  const auto note = [&](char letter) { return [&log, letter] { log += letter; }; };
  const auto graph = device.capture([&] { device.submit(DeviceStream::Compute, note('g')); });
  device.submit(DeviceStream::Communication, note('a'));
  graph->launch();
  device.submit(DeviceStream::Communication, note('b'));
  device.synchronize();
  EXPECT_EQ(log, "agb");
}

TEST(FakeDevice, TimedEventsOfAGraphAreRecordedByItsLaunches) {
  FakeDevice device;
  device.set_costs({.direct = 5, .in_graph = 3});
  const auto begin = device.make_event(EventKind::Timed);
  const auto end = device.make_event(EventKind::Timed);
  const auto graph = device.capture([&] {
    begin->record(DeviceStream::Compute);
    device.submit(DeviceStream::Compute, [] {});
    device.submit(DeviceStream::Compute, [] {});
    end->record(DeviceStream::Compute);
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

TEST(FakeDevice, RejectsInvalidCaptures) {
  FakeDevice device;
  Passage passage(device);
  const auto event = device.make_event(EventKind::Order);
  expect_refused(device, "does not wait for the communication stream", [&] { passage.enqueue(); });
  expect_refused(device, "did not wait for the compute stream", [&] { device.submit(DeviceStream::Communication, [] {}); });
  event->record(DeviceStream::Compute);
  expect_refused(device, "outside of the capture", [&] { event->wait(DeviceStream::Communication); });
  expect_refused(device, "an event was asked", [&] { event->is_reached(); });
  expect_refused(device, "memory was allocated", [&] { device.allocate(4); });
  expect_refused(device, "waits for the device", [&] { device.synchronize(); });
  expect_refused(device, "of its own", [] { throw Error(ExitCode::Io, "a failure of its own"); });
  device.fail_capture(1);
  EXPECT_NE(device.capture([] {}), nullptr);
  expect_refused(device, "a failure was requested", [] {});
  EXPECT_NE(device.capture([] {}), nullptr);
}

TEST(FakeDevice, CapturedEventsAreInvisibleOutside) {
  FakeDevice device;
  const auto event = device.make_event(EventKind::Order);
  device.capture([&] { event->record(DeviceStream::Compute); });
  EXPECT_THROW(event->is_reached(), Bug);
  EXPECT_THROW(event->wait(DeviceStream::Communication), Bug);
  event->record(DeviceStream::Compute);
  EXPECT_TRUE(event->is_reached());
}

}  // namespace
}  // namespace parconv::test
