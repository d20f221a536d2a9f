// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {
namespace {

const Box global_box{{{{2, 4}, {8, 11}, {0, 1}, {10, 14}, {5, 10}}}};

bool is_aligned(const HostTensor& tensor) { return reinterpret_cast<std::uintptr_t>(tensor.view().data) % memory_alignment == 0; }

TEST(HostTensor, IsZeroedAndAligned) {
  const HostTensor tensor(global_box);
  EXPECT_TRUE(is_aligned(tensor));
  EXPECT_TRUE(is_dense(tensor.view().layout));
  const auto* elements = reinterpret_cast<const float*>(tensor.view().data);
  for (index_t i = 0; i < volume(global_box); ++i) ASSERT_EQ(elements[i], 0.0f);
}

TEST(HostTensor, CountsElementsByGlobalIndex) {
  HostTensor tensor(global_box);
  tensor.at(3, 9, 0, 12, 7) = 5.0f;
  // Strides of 2x3x1x4x5: w 3, h 15, n 60.
  EXPECT_EQ(reinterpret_cast<const float*>(std::as_const(tensor).view().data)[60 + 2 * 15 + 2 * 3 + 1], 5.0f);
  EXPECT_EQ(std::as_const(tensor).at(3, 9, 0, 12, 7), 5.0f);
}

TEST(HostTensor, ViewsBeginAtTheirBox) {
  HostTensor tensor(global_box);
  tensor.at(2, 8, 0, 11, 6) = 7.0f;
  const View view = tensor.view(global_box.with(Axis::H, {11, 13}).with(Axis::W, {6, 8}));
  EXPECT_EQ(*reinterpret_cast<const float*>(view.data), 7.0f);
  EXPECT_EQ(view.layout.extents, (Extents{{2, 3, 1, 2, 2}}));
}

TEST(HostTensor, CopiesAreAlignedAndSeparate) {
  HostTensor tensor(global_box);
  HostTensor other = tensor;
  other.at(2, 8, 0, 10, 5) = 1.0f;
  EXPECT_TRUE(is_aligned(other));
  EXPECT_EQ(tensor.at(2, 8, 0, 10, 5), 0.0f);
}

TEST(HostTensor, RefusesElementsOutsideAndOfOtherTypes) {
  HostTensor tensor(global_box);
  EXPECT_THROW(tensor.at(0, 0, 0, 0, 0), Bug);
  EXPECT_THROW(tensor.at(2, 8, 0, 14, 5), Bug);
  HostTensor bytes(global_box, DType::U8);
  EXPECT_THROW(bytes.at(2, 8, 0, 10, 5), Bug);
}

TEST(HostTensor, MayBeEmpty) {
  EXPECT_TRUE(HostTensor().box().is_empty());
  EXPECT_EQ(volume(HostTensor(global_box.with(Axis::C, {9, 9})).box()), 0);
}

TEST(HostTensor, RefusesSizesThatOverflow) {
  const index_t huge = index_t{1} << 40;
  EXPECT_THROW(HostTensor(Box::whole({{1, 1, 1, huge, huge}})), Error);
}

}  // namespace
}  // namespace parconv
