// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"

namespace parconv {
namespace {

TEST(HostDevice, AllocatesZeroedAlignedMemory) {
  const std::unique_ptr<Device> device = make_host_device();
  for (const MemoryKind kind : {MemoryKind::Device, MemoryKind::Pinned}) {
    const DeviceBytes bytes = device->allocate(1000, kind);
    ASSERT_EQ(bytes.size(), 1000U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % memory_alignment, 0U);
    EXPECT_TRUE(std::all_of(bytes.data(), bytes.data() + bytes.size(), [](std::byte b) { return b == std::byte{0}; }));
  }
  EXPECT_EQ(device->allocate(0).data(), nullptr);
}

TEST(HostDevice, MovedMemoryHasOneOwner) {
  const std::unique_ptr<Device> device = make_host_device();
  DeviceBytes first = device->allocate(64);
  std::byte* const data = first.data();
  DeviceBytes second = std::move(first);
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(first.data(), nullptr);  // NOLINT(bugprone-use-after-move): what a moved-from owner holds is the point
  second = device->allocate(128);
  EXPECT_EQ(second.size(), 128U);
}

TEST(HostDevice, CopiesAndPacksImmediately) {
  const std::unique_ptr<Device> device = make_host_device();
  HostTensor tensor(Box::whole({{1, 2, 1, 4, 5}}));
  float next = 0;
  for (index_t h = 0; h < 4; ++h)
    for (index_t w = 0; w < 5; ++w)
      for (index_t c = 0; c < 2; ++c) tensor.at(0, c, 0, h, w) = next++;
  const Box columns = tensor.box().with(Axis::W, {1, 3});
  HostTensor part(columns);
  device->copy(tensor.view(columns), part.view(), DeviceStream::Compute);
  EXPECT_EQ(part.at(0, 1, 0, 3, 2), tensor.at(0, 1, 0, 3, 2));
  DeviceBytes packed = device->allocate(4 * 2 * 2 * sizeof(float));
  device->pack(tensor.view(columns), packed.data(), DeviceStream::Communication);
  HostTensor unpacked(columns);
  device->unpack(packed.data(), unpacked.view(), DeviceStream::Compute);
  const std::unique_ptr<DeviceEvent> event = device->make_event();
  event->record(DeviceStream::Compute);
  EXPECT_TRUE(event->is_reached());
  EXPECT_EQ(unpacked.at(0, 0, 0, 2, 1), tensor.at(0, 0, 0, 2, 1));
  EXPECT_EQ(device->native_stream(DeviceStream::Compute), nullptr);
}

TEST(HostDevice, ThreadsShareItsCopies) {
  HostTensor tensor(Box::whole({{2, 5, 1, 30, 40}}));
  float next = 0;
  for (index_t k = 0; k < volume(tensor.box()); ++k) reinterpret_cast<float*>(tensor.view().data)[k] = next++;
  const Box columns = tensor.box().with(Axis::W, {3, 31});
  HostTensor expected(columns);
  copy(tensor.view(columns), expected.view());
  const std::span<const std::byte> wanted(expected.view().data, static_cast<std::size_t>(volume(columns)) * sizeof(float));
  for (int threads = 1; threads <= 4; ++threads) {
    const std::unique_ptr<Device> device = make_host_device({.count = threads, .least_elems = 1});
    DeviceBytes packed = device->allocate(wanted.size());
    HostTensor copied(columns), unpacked(columns);
    device->copy(tensor.view(columns), copied.view(), DeviceStream::Compute);
    device->pack(tensor.view(columns), packed.data(), DeviceStream::Compute);
    device->unpack(packed.data(), unpacked.view(), DeviceStream::Compute);
    EXPECT_EQ(std::memcmp(copied.view().data, wanted.data(), wanted.size()), 0) << threads;
    EXPECT_EQ(std::memcmp(packed.data(), wanted.data(), wanted.size()), 0) << threads;
    EXPECT_EQ(std::memcmp(unpacked.view().data, wanted.data(), wanted.size()), 0) << threads;
  }
}

TEST(HostDevice, ReportsItsMemory) {
  const DeviceMemory memory = make_host_device()->memory();
  EXPECT_GT(memory.total_bytes, 0U);
  EXPECT_LE(memory.free_bytes, memory.total_bytes);
}

TEST(HostDevice, CapturesNothing) {
  const std::unique_ptr<Device> device = make_host_device();
  EXPECT_EQ(device->capture_problem(), "the host executes work immediately");
  bool has_run = false;
  EXPECT_THROW(device->capture([&] { has_run = true; }), Error);
  EXPECT_FALSE(has_run);
}

}  // namespace
}  // namespace parconv
