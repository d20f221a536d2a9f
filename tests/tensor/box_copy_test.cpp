// SPDX-License-Identifier: Apache-2.0
// Copies of boxes on GPUs, run in plain loops on the host: against the copies of host tensors, and with conversion.
#include "parconv/tensor/box_copy.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/random.hpp"

namespace parconv::test {
namespace {

/// Executor that records how the copy was made.
struct HostExecutor {
  mutable std::set<std::string> ways{};

  template <class Function>
  void for_each(index_t count, const Function& function) const {
    ways.insert("units");
    for (index_t k = 0; k < count; ++k) function(k);
  }

  void copy_rows(const std::byte* src, index_t src_pitch, std::byte* dst, index_t dst_pitch, std::size_t row_bytes,
                 index_t rows) const {
    ways.insert("rows");
    for (index_t row = 0; row < rows; ++row) std::memcpy(dst + row * dst_pitch, src + row * src_pitch, row_bytes);
  }
};

/// A random-valued buffer around a box of `extents`, larger along some axes.
HostTensor buffer_around(Random& random, const Extents& extents, DType type) {
  Box outer = Box::whole(extents);
  for (Interval& interval : outer.intervals)
    if (random.once_in(3)) interval = {-random.integer(0, 2), interval.hi + random.integer(0, 2)};
  HostTensor tensor(outer, type);
  const View view = tensor.view();
  for (index_t k = 0; k < volume(outer); ++k)
    store_dense<1>({.data = view.data, .type = type}, k, ChannelVector<1>{{static_cast<float>(random.integer(-100, 100))}});
  return tensor;
}

std::vector<float> numbers_of(ConstView view) {
  std::vector<float> numbers;
  const ConstElements elements = elements_of(view.layout, view.data);
  const IndexMap indices(view.layout.extents);
  for (index_t k = 0; k < indices.count(); ++k) numbers.push_back(load<1>(elements, indices.at(k)).x[0]);
  return numbers;
}

Extents random_extents(Random& random) {
  const index_t channels = random.once_in(2) ? random.integer(1, 9) : 16 * random.integer(1, 4);
  return {{random.integer(1, 3), channels, random.integer(1, 3), random.integer(1, 6), random.integer(1, 40)}};
}

/// Compares the whole buffer of dst, so that writes outside the box are detected.
void expect_copied(Random& random, DType src_type, DType dst_type, HostExecutor& executor) {
  const Extents extents = random_extents(random);
  const Box box = Box::whole(extents);
  HostTensor src = buffer_around(random, extents, src_type);
  HostTensor dst = buffer_around(random, extents, dst_type), expected = dst;
  const ConstView from = std::as_const(src).view(box);
  const View to = expected.view(box);
  const IndexMap indices(extents);
  for (index_t k = 0; k < indices.count(); ++k)
    store(elements_of(to.layout, to.data), indices.at(k), load<1>(elements_of(from.layout, from.data), indices.at(k)));
  box_copy::BoxCopy<HostExecutor>(from, dst.view(box), executor).run();
  ASSERT_EQ(numbers_of(dst.view()), numbers_of(expected.view())) << extents;
}

TEST(BoxCopy, CopiesBoxesOfEveryType) {
  Random random(11);
  HostExecutor executor;
  for (int k = 0; k < 60; ++k)
    for (const DType type : {DType::F32, DType::F16, DType::BF16}) expect_copied(random, type, type, executor);
  EXPECT_EQ(executor.ways, (std::set<std::string>{"rows", "units"}));
}

TEST(BoxCopy, CopiesAccumulatorsByteByByte) {
  Random random(13);
  const HostExecutor executor;
  for (int k = 0; k < 60; ++k) {
    const Extents extents = random_extents(random);
    const Box box = Box::whole(extents), outer = box.with(Axis::W, {-1, extents[Axis::W] + 1});
    HostTensor src(outer, DType::Accumulator), dst(box, DType::Accumulator);
    const View all = src.view();
    for (index_t byte = 0; byte < volume(outer) * static_cast<index_t>(size_of(DType::Accumulator)); ++byte)
      all.data[byte] = static_cast<std::byte>(random.integer(0, 255));
    HostTensor expected = dst;
    copy(std::as_const(src).view(box), expected.view());
    box_copy::BoxCopy<HostExecutor>(std::as_const(src).view(box), dst.view(), executor).run();
    ASSERT_EQ(
        std::memcmp(dst.view().data, expected.view().data, static_cast<std::size_t>(volume(box)) * size_of(DType::Accumulator)),
        0)
        << extents;
  }
}

TEST(BoxCopy, ConvertsBetweenTypes) {
  Random random(12);
  HostExecutor executor;
  for (int k = 0; k < 40; ++k)
    for (const auto& [src, dst] : {std::pair{DType::F32, DType::BF16}, {DType::BF16, DType::F32}, {DType::F16, DType::BF16}})
      expect_copied(random, src, dst, executor);
}

TEST(BoxCopy, MovesTheLargestUnitsThatFit) {
  alignas(16) std::array<std::byte, 64> memory{};
  const auto unit = [&](std::size_t run_bytes, index_t stride, std::size_t src, std::size_t dst) {
    const CopyLoops loops{
        .outer = LoopNest({}), .runs = {.extent = 3, .src_stride = stride, .dst_stride = 64}, .run_bytes = run_bytes};
    return box_copy::unit_bytes(loops, memory.data() + src, memory.data() + dst);
  };
  EXPECT_EQ(unit(48, 64, 0, 0), 16U);
  EXPECT_EQ(unit(24, 64, 0, 0), 8U);
  EXPECT_EQ(unit(48, 68, 0, 0), 4U);
  EXPECT_EQ(unit(48, 64, 0, 2), 2U);
  EXPECT_EQ(unit(48, 64, 1, 0), 1U);
}

TEST(BoxCopy, EmptyBoxIsANoOp) {
  OperandLayout layout{.extents = {{0, 1, 1, 1, 1}}};
  const HostExecutor executor;
  box_copy::BoxCopy<HostExecutor>({nullptr, layout}, {nullptr, layout}, executor).run();
  EXPECT_TRUE(executor.ways.empty());
}

}  // namespace
}  // namespace parconv::test
