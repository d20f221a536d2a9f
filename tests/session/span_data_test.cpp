// SPDX-License-Identifier: Apache-2.0
// Boxes of the caller's memory, in the order of ONNX.
#include "parconv/session/files/span_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

constexpr Extents extents{{2, 3, 1, 4, 5}};
constexpr Box inner{{{{1, 2}, {1, 3}, {0, 1}, {2, 4}, {1, 3}}}};

/// Element (n, c, h, w) is 60 n + 20 c + 5 h + w: its index in the order of ONNX.
std::vector<float> counted() {
  std::vector<float> values(120);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

TEST(SpanSource, ReadsBoxes) {
  const std::vector<float> values = counted();
  SpanSource source(values, {.extents = extents});
  HostTensor read(inner);
  source.read(inner, read.view());
  EXPECT_EQ(read.at(1, 1, 0, 2, 1), 91);
  EXPECT_EQ(read.at(1, 1, 0, 3, 2), 97);
  EXPECT_EQ(read.at(1, 2, 0, 2, 2), 112);
  EXPECT_EQ(source.ndims(), 4);
}

TEST(SpanSource, ConvertsToTheTypeOfActivations) {
  const std::vector<float> values{1.0F + 0x1p-10F};
  SpanSource source(values, {.extents = {{1, 1, 1, 1, 1}}});
  HostTensor read(Box::whole({{1, 1, 1, 1, 1}}), DType::BF16);
  source.read(read.box(), read.view());
  EXPECT_EQ(*reinterpret_cast<const std::uint16_t*>(read.view().data), 0x3F80) << "1.0 in bf16";
}

TEST(SpanSink, WritesBoxesAndNothingElse) {
  std::vector<float> values(120, -1.0F);
  SpanSink sink(values, extents);
  HostTensor written(inner);
  written.at(1, 1, 0, 2, 1) = 7;
  written.at(1, 2, 0, 3, 2) = 8;
  sink.write(inner, std::as_const(written).view());
  EXPECT_EQ(values[91], 7);
  EXPECT_EQ(values[60 + 40 + 15 + 2], 8);
  EXPECT_EQ(std::count(values.begin(), values.end(), -1.0F), 120 - 8);
  EXPECT_EQ(sink.chunk(), (Extents{{1, 3, 1, 4, 5}}));
}

TEST(SpanData, SizesHaveToFit) {
  std::vector<float> values(119);
  EXPECT_THROW(SpanSource(values, {.extents = extents}), Bug);
  EXPECT_THROW(SpanSink(values, extents), Bug);
}

}  // namespace
}  // namespace parconv::test
