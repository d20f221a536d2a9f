// SPDX-License-Identifier: Apache-2.0
// Memory, copies, streams and events of a GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "parconv/core/error.hpp"
#include "support/compare.hpp"
#include "support/gpu_test.hpp"

namespace parconv::test {
namespace {

/// A tensor in pinned memory.
struct PinnedTensor {
  PinnedTensor(Device& device, const Box& whole)
      : box(whole),
        bytes(device.allocate(static_cast<std::size_t>(volume(whole.extents())) * sizeof(float), MemoryKind::Pinned)) {}

  View view(const Box& inner) { return view_within(bytes.data(), inner, box); }
  View view() { return view(box); }
  std::span<float> elements() { return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)}; }
  void count_up() {
    float next = 1;
    for (float& element : elements()) element = next++;
  }

  Box box;
  DeviceBytes bytes;
};

class CudaDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    PARCONV_NEEDS_GPU();
    device_ = make_cuda_device(0);
  }

  std::unique_ptr<Device> device_{};
};

TEST_F(CudaDevice, ReportsItsProperties) {
  EXPECT_EQ(device_->platform(), DevicePlatform::Cuda);
  EXPECT_EQ(device_->name(), find_gpus().gpus.front().name);
  const DeviceMemory memory = device_->memory();
  EXPECT_GT(memory.free_bytes, 0U);
  EXPECT_LE(memory.free_bytes, memory.total_bytes);
  EXPECT_NE(device_->native_stream(DeviceStream::Compute), device_->native_stream(DeviceStream::Communication));
}

TEST_F(CudaDevice, MemoryIsZeroed) {
  DeviceBytes memory = device_->allocate(1000);
  DeviceBytes outside = device_->allocate(1000, MemoryKind::Pinned);
  std::fill(outside.data(), outside.data() + 1000, std::byte{7});
  device_->download(bytes_view(std::as_const(memory).data(), 1000), bytes_view(outside.data(), 1000), DeviceStream::Compute);
  device_->synchronize();
  EXPECT_EQ(std::count(outside.data(), outside.data() + 1000, std::byte{0}), 1000);
}

TEST_F(CudaDevice, RoundTripsBoxes) {
  const Box whole = Box::whole({{2, 5, 3, 6, 7}});
  const Box inners[] = {whole,
                        whole.with(Axis::W, {2, 5}),
                        whole.with(Axis::C, {1, 4}),
                        whole.with(Axis::H, {3, 4}),
                        whole.with(Axis::D, {1, 3}).with(Axis::C, {4, 5}),
                        whole.with(Axis::N, {1, 1})};
  for (const Box& inner : inners) {
    SCOPED_TRACE(to_string(inner));
    PinnedTensor there(*device_, whole);
    PinnedTensor back(*device_, whole);
    there.count_up();
    DeviceBytes first = device_->allocate(there.bytes.size());
    DeviceBytes second = device_->allocate(there.bytes.size());
    device_->upload(there.view(inner), view_within(first.data(), inner, whole), DeviceStream::Compute);
    device_->copy(view_within(first.data(), inner, whole), view_within(second.data(), inner, whole), DeviceStream::Compute);
    device_->download(view_within(second.data(), whole, whole), back.view(), DeviceStream::Compute);
    device_->synchronize();
    HostTensor expected(whole);
    copy(there.view(inner), expected.view(inner));
    EXPECT_TRUE(same_bits(back.elements(), {reinterpret_cast<const float*>(expected.view().data), back.elements().size()}));
  }
}

TEST_F(CudaDevice, PacksAndUnpacks) {
  const Box whole = Box::whole({{1, 4, 1, 8, 9}});
  const Box columns = whole.with(Axis::W, {2, 4});
  PinnedTensor there(*device_, whole);
  PinnedTensor back(*device_, columns);
  there.count_up();
  DeviceBytes memory = device_->allocate(there.bytes.size());
  DeviceBytes packed = device_->allocate(back.bytes.size());
  device_->upload(there.view(), view_within(memory.data(), whole, whole), DeviceStream::Compute);
  device_->pack(view_within(memory.data(), columns, whole), packed.data(), DeviceStream::Compute);
  device_->download(bytes_view(std::as_const(packed).data(), packed.size()), bytes_view(back.bytes.data(), packed.size()),
                    DeviceStream::Compute);
  device_->synchronize();
  HostTensor expected(columns);
  copy(there.view(columns), expected.view());
  EXPECT_TRUE(same_bits(back.elements(), {reinterpret_cast<const float*>(expected.view().data), back.elements().size()}));
}

TEST_F(CudaDevice, StreamsSynchroniseThroughEvents) {
  constexpr std::size_t size = std::size_t{1} << 26;
  DeviceBytes memory = device_->allocate(size);
  DeviceBytes there = device_->allocate(size, MemoryKind::Pinned);
  DeviceBytes back = device_->allocate(size, MemoryKind::Pinned);
  const auto event = device_->make_event();
  for (int round = 1; round <= 3; ++round) {
    std::fill(there.data(), there.data() + size, static_cast<std::byte>(round));
    device_->upload(bytes_view(std::as_const(there).data(), size), bytes_view(memory.data(), size), DeviceStream::Communication);
    event->record(DeviceStream::Communication);
    event->wait(DeviceStream::Compute);
    device_->download(bytes_view(std::as_const(memory).data(), size), bytes_view(back.data(), size), DeviceStream::Compute);
    event->record(DeviceStream::Compute);
    while (!event->is_reached()) std::this_thread::yield();
    EXPECT_EQ(std::count(back.data(), back.data() + size, static_cast<std::byte>(round)), static_cast<std::ptrdiff_t>(size));
  }
}

/// CUDA keeps "not ready" as the last error, which the next launch must not report.
TEST_F(CudaDevice, PendingEventIsNotAnErrorOfTheNextKernel) {
  constexpr std::size_t size = std::size_t{1} << 26;
  const Box whole = Box::whole({{1, 4, 1, 8, 9}});
  const Box columns = whole.with(Axis::W, {2, 4});
  DeviceBytes memory = device_->allocate(size);
  DeviceBytes packed = device_->allocate(size);
  DeviceBytes outside = device_->allocate(size, MemoryKind::Pinned);
  const auto event = device_->make_event();
  bool is_early = false;
  for (int round = 0; round < 20 && !is_early; ++round) {
    device_->upload(bytes_view(std::as_const(outside).data(), size), bytes_view(memory.data(), size), DeviceStream::Compute);
    event->record(DeviceStream::Compute);
    is_early = !event->is_reached();
    EXPECT_NO_THROW(device_->pack(view_within(memory.data(), columns, whole), packed.data(), DeviceStream::Compute));
  }
  EXPECT_TRUE(is_early);
  device_->synchronize();
}

TEST_F(CudaDevice, TimedEventsMeasureTime) {
  constexpr std::size_t size = std::size_t{1} << 26;
  DeviceBytes memory = device_->allocate(size);
  DeviceBytes outside = device_->allocate(size, MemoryKind::Pinned);
  const auto begin = device_->make_event(EventKind::Timed);
  const auto end = device_->make_event(EventKind::Timed);
  EXPECT_TRUE(begin->is_reached()) << "never recorded";
  begin->record(DeviceStream::Compute);
  device_->upload(bytes_view(std::as_const(outside).data(), size), bytes_view(memory.data(), size), DeviceStream::Compute);
  end->record(DeviceStream::Compute);
  while (!end->is_reached()) std::this_thread::yield();
  EXPECT_GT(end->seconds_since(*begin), 0);
  EXPECT_LT(end->seconds_since(*begin), 10);
}

/// Uploads on the compute stream and downloads on the communication stream; every launch reads the current contents of the same
/// pinned memory.
TEST_F(CudaDevice, RepeatsCapturedWorkAtEveryLaunch) {
  constexpr std::size_t size = std::size_t{1} << 22;
  DeviceBytes memory = device_->allocate(size);
  DeviceBytes there = device_->allocate(size, MemoryKind::Pinned);
  DeviceBytes back = device_->allocate(size, MemoryKind::Pinned);
  const auto is_up = device_->make_event();
  const auto is_down = device_->make_event();
  const auto begin = device_->make_event(EventKind::Timed);
  const auto end = device_->make_event(EventKind::Timed);
  ASSERT_EQ(device_->capture_problem(), "");
  const auto graph = device_->capture([&] {
    begin->record(DeviceStream::Compute);
    device_->upload(bytes_view(std::as_const(there).data(), size), bytes_view(memory.data(), size), DeviceStream::Compute);
    is_up->record(DeviceStream::Compute);
    is_up->wait(DeviceStream::Communication);
    device_->download(bytes_view(std::as_const(memory).data(), size), bytes_view(back.data(), size), DeviceStream::Communication);
    is_down->record(DeviceStream::Communication);
    is_down->wait(DeviceStream::Compute);
    end->record(DeviceStream::Compute);
  });
  device_->synchronize();
  EXPECT_EQ(std::count(back.data(), back.data() + size, std::byte{0}), static_cast<std::ptrdiff_t>(size));
  const auto is_done = device_->make_event();
  for (int round = 1; round <= 3; ++round) {
    std::fill(there.data(), there.data() + size, static_cast<std::byte>(round));
    graph->launch();
    is_done->record(DeviceStream::Communication);
    while (!is_done->is_reached()) std::this_thread::yield();
    EXPECT_EQ(std::count(back.data(), back.data() + size, static_cast<std::byte>(round)), static_cast<std::ptrdiff_t>(size));
    EXPECT_GT(end->seconds_since(*begin), 0);
    EXPECT_LT(end->seconds_since(*begin), 10);
  }
}

TEST_F(CudaDevice, RejectsAndDiscardsInvalidCaptures) {
  DeviceBytes memory = device_->allocate(64);
  DeviceBytes outside = device_->allocate(64, MemoryKind::Pinned);
  const auto event = device_->make_event();
  EXPECT_THROW(device_->capture([&] { throw Error(ExitCode::Io, "a failure of its own"); }), Error);
  EXPECT_THROW(device_->capture([&] {
    event->record(DeviceStream::Compute);
    event->wait(DeviceStream::Communication);
    device_->upload(bytes_view(std::as_const(outside).data(), 64), bytes_view(memory.data(), 64), DeviceStream::Communication);
  }),
               Error)
      << "the streams do not meet again";
  const Box whole = Box::whole({{1, 4, 1, 2, 2}});
  DeviceBytes packed = device_->allocate(32);
  device_->pack(view_within(memory.data(), whole.with(Axis::W, {1, 2}), whole), packed.data(),
                DeviceStream::Compute);  // a kernel
  outside.data()[0] = std::byte{5};
  device_->upload(bytes_view(std::as_const(outside).data(), 64), bytes_view(memory.data(), 64), DeviceStream::Communication);
  device_->synchronize();
  EXPECT_NE(device_->capture([] {}), nullptr);
}

TEST_F(CudaDevice, ReportsBytesWhenOutOfMemory) {
  try {
    device_->allocate(std::size_t{1} << 50);
    FAIL() << "got a petabyte";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::OutOfMemory);
    EXPECT_THAT(error.what(), testing::HasSubstr(std::to_string(std::size_t{1} << 50)));
  }
  EXPECT_EQ(device_->allocate(100).size(), 100U) << "usable afterwards";
}

}  // namespace
}  // namespace parconv::test
