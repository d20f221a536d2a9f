// SPDX-License-Identifier: Apache-2.0
// Box copies, compared with an element-wise loop.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {
namespace {

using Bytes = std::vector<std::byte>;

Bytes counted_bytes(std::size_t count, unsigned first) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>((first + i * 7 + i / 251) & 0xff);
  return bytes;
}

template <class Visit>
void for_each_index(const Extents& extents, Visit&& visit) {
  Extents i;
  for (i[Axis::N] = 0; i[Axis::N] < extents[Axis::N]; ++i[Axis::N])
    for (i[Axis::D] = 0; i[Axis::D] < extents[Axis::D]; ++i[Axis::D])
      for (i[Axis::H] = 0; i[Axis::H] < extents[Axis::H]; ++i[Axis::H])
        for (i[Axis::W] = 0; i[Axis::W] < extents[Axis::W]; ++i[Axis::W])
          for (i[Axis::C] = 0; i[Axis::C] < extents[Axis::C]; ++i[Axis::C]) visit(i);
}

std::ptrdiff_t byte_at(const OperandLayout& layout, const Extents& index) {
  index_t elem = 0;
  for (Axis axis : all_axes) elem += index[axis] * layout.strides[axis];
  return elem * static_cast<index_t>(size_of(layout.type));
}

void copy_by_elements(ConstView src, View dst) {
  for_each_index(src.layout.extents, [&](const Extents& i) {
    std::memcpy(dst.data + byte_at(dst.layout, i), src.data + byte_at(src.layout, i), size_of(src.layout.type));
  });
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  index_t in(index_t lo, index_t hi) { return std::uniform_int_distribution<index_t>(lo, hi)(engine_); }

  Extents extents() {
    Extents result;
    for (Axis axis : all_axes) result[axis] = in(0, 2) == 0 ? 1 : in(1, axis == Axis::C ? 33 : 5);
    return result;
  }

  /// A box around [lo, lo + size) with a random margin, possibly none, on every axis.
  Box around(const Box& inner) {
    Box outer = inner;
    for (Axis axis : all_axes) {
      if (in(0, 2) == 0) outer[axis] = {inner[axis].lo - in(0, 3), inner[axis].hi + in(0, 3)};
    }
    return outer;
  }

  DType type() {
    constexpr std::array<DType, 5> types{DType::U8, DType::F16, DType::F32, DType::F64, DType::Accumulator};
    return types[static_cast<std::size_t>(in(0, 4))];
  }

 private:
  std::mt19937 engine_;
};

std::size_t bytes_of(const Box& box, DType type) { return static_cast<std::size_t>(volume(box)) * size_of(type); }

TEST(Copy, RandomBoxesEqualSingleElements) {
  Random random(1);
  for (int round = 0; round < 3000; ++round) {
    const Box inner = Box::whole(random.extents());
    const Box from = random.around(inner);
    const Box to = random.around(inner);
    const DType type = random.type();
    const Bytes src = counted_bytes(bytes_of(from, type), 1);
    Bytes dst = counted_bytes(bytes_of(to, type), 100);
    Bytes expected = dst;
    copy_by_elements(view_within(src.data(), inner, from, type), view_within(expected.data(), inner, to, type));
    copy(view_within(src.data(), inner, from, type), view_within(dst.data(), inner, to, type));
    ASSERT_EQ(dst, expected) << inner << " from " << from << " to " << to << " " << name_of(type);
  }
}

TEST(Copy, AnyStridesEqualSingleElements) {
  // Operands with random axis order in memory, and sources with stride 0.
  Random random(2);
  for (int round = 0; round < 1000; ++round) {
    const Extents extents = random.extents();
    const DType type = random.type();
    OperandLayout from = layout_within(Box::whole(extents), Box::whole(extents), type);
    OperandLayout to = from;
    index_t stride = 1;
    std::array<Axis, num_axes> order = all_axes;
    for (std::size_t k = num_axes; k-- > 0;) {
      std::swap(order[k], order[static_cast<std::size_t>(random.in(0, static_cast<index_t>(k)))]);
      to.strides[order[k]] = stride;
      stride *= extents[order[k]];
    }
    if (round % 3 == 0) from.strides[Axis::H] = 0;
    const std::size_t bytes = bytes_of(Box::whole(extents), type);
    const Bytes src = counted_bytes(bytes, 1);
    Bytes dst(bytes);
    Bytes expected(bytes);
    copy_by_elements({src.data(), from}, {expected.data(), to});
    copy({src.data(), from}, View{dst.data(), to});
    ASSERT_EQ(dst, expected) << extents << " " << name_of(type);
  }
}

TEST(Copy, LiteralColumns) {
  // Columns [1, 3) of a 2 x 4 image of two channels go to columns [0, 2) of a 2 x 2 image.
  const std::vector<float> src{0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17};
  std::vector<float> dst(8, -1.0f);
  const Box outer = Box::whole({{1, 2, 1, 2, 4}});
  const Box small = Box::whole({{1, 2, 1, 2, 2}});
  copy(view_within(std::as_bytes(std::span(src)).data(), outer.with(Axis::W, {1, 3}), outer),
       view_within(std::as_writable_bytes(std::span(dst)).data(), small, small));
  EXPECT_EQ(dst, (std::vector<float>{2, 3, 4, 5, 12, 13, 14, 15}));
}

TEST(Copy, EmptyBoxesTouchNothing) {
  const Box outer = Box::whole({{1, 4, 1, 3, 3}});
  const Box empty = outer.with(Axis::W, {2, 2});
  EXPECT_NO_THROW(copy(view_within(static_cast<const std::byte*>(nullptr), empty, outer),
                       view_within(static_cast<std::byte*>(nullptr), empty, outer)));
}

TEST(Copy, RefusesOtherExtentsAndTypes) {
  HostTensor a(Box::whole({{1, 4, 1, 3, 3}}));
  HostTensor b(Box::whole({{1, 4, 1, 3, 2}}));
  HostTensor c(Box::whole({{1, 4, 1, 3, 3}}), DType::I32);
  EXPECT_THROW(copy(a.view(), b.view()), Bug);
  EXPECT_THROW(copy(a.view(), c.view()), Bug);
}

TEST(Pack, LiteralChannels) {
  const std::vector<float> src{0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32};  // 2 x 2 pixels of three channels
  const Box outer = Box::whole({{1, 3, 1, 2, 2}});
  std::vector<float> packed(4, -1.0f);
  pack(view_within(std::as_bytes(std::span(src)).data(), outer.with(Axis::C, {1, 2}), outer),
       std::as_writable_bytes(std::span(packed)).data());
  EXPECT_EQ(packed, (std::vector<float>{1, 11, 21, 31}));
}

TEST(Pack, UnpackIsTheInverseAndTouchesNothingElse) {
  Random random(3);
  for (int round = 0; round < 500; ++round) {
    const Box inner = Box::whole(random.extents());
    const Box outer = random.around(inner);
    const DType type = random.type();
    const Bytes src = counted_bytes(bytes_of(outer, type), 1);
    Bytes packed(bytes_of(inner, type));
    pack(view_within(src.data(), inner, outer, type), packed.data());
    Bytes back = counted_bytes(src.size(), 50);
    Bytes expected = back;
    copy_by_elements(view_within(src.data(), inner, outer, type), view_within(expected.data(), inner, outer, type));
    unpack(packed.data(), view_within(back.data(), inner, outer, type));
    ASSERT_EQ(back, expected) << inner << " in " << outer;
  }
}

}  // namespace
}  // namespace parconv
