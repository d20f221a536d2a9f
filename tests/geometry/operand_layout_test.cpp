// SPDX-License-Identifier: Apache-2.0
// Layouts of boxes within channels-last buffers.
#include <gtest/gtest.h>

#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/geometry/operand_layout.hpp"

namespace parconv {
namespace {

Box box(Interval n, Interval c, Interval d, Interval h, Interval w) { return {{n, c, d, h, w}}; }

const Box image = box({0, 2}, {0, 4}, {0, 1}, {0, 8}, {0, 6});

struct Row {
  const char* what;
  Box inner;
  index_t offset;
  bool is_dense;
  bool is_dense_per_sample;
};

TEST(Layout, LiteralBoxesInAnImage) {
  // Strides of 2x4x1x8x6, channels last: c 1, w 4, h 24, d 192, n 192.
  const std::vector<Row> rows{
      {"all", image, 0, true, true},
      {"one sample", image.with(Axis::N, {1, 2}), 192, true, true},
      {"rows of one sample", box({0, 1}, {0, 4}, {0, 1}, {2, 5}, {0, 6}), 48, true, true},
      {"rows of two samples", image.with(Axis::H, {2, 5}), 48, false, true},
      {"columns", image.with(Axis::W, {2, 5}), 8, false, false},
      {"columns of one row", box({0, 1}, {0, 4}, {0, 1}, {3, 4}, {2, 5}), 80, true, true},
      {"channels", image.with(Axis::C, {1, 3}), 1, false, false},
      {"channels of one pixel", box({1, 2}, {1, 3}, {0, 1}, {7, 8}, {5, 6}), 192 + 168 + 20 + 1, true, true},
      {"nothing", image.with(Axis::H, {3, 3}), 0, true, true},
  };
  const Extents strides{{192, 1, 192, 24, 4}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const OperandLayout layout = layout_within(row.inner, image);
    EXPECT_EQ(layout.extents, row.inner.extents());
    EXPECT_EQ(layout.strides, strides);
    EXPECT_EQ(offset_within(row.inner, image), row.offset);
    EXPECT_EQ(is_dense(layout), row.is_dense);
    EXPECT_EQ(is_dense_per_sample(layout), row.is_dense_per_sample);
  }
}

TEST(Layout, OffsetsCountFromTheOuterBox) {
  const Box outer = box({0, 1}, {8, 16}, {0, 1}, {10, 20}, {0, 3});
  EXPECT_EQ(offset_within(outer.with(Axis::H, {12, 14}), outer), 2 * 3 * 8);
  EXPECT_EQ(offset_within(outer.with(Axis::C, {9, 10}), outer), 1);
}

TEST(Layout, KeepsTheType) { EXPECT_EQ(layout_within(image, image, DType::U8).type, DType::U8); }

TEST(Layout, RefusesABoxOutside) {
  EXPECT_THROW(layout_within(image.with(Axis::H, {0, 9}), image), Bug);
  EXPECT_THROW(offset_within(image.with(Axis::C, {-1, 2}), image), Bug);
}

}  // namespace
}  // namespace parconv
