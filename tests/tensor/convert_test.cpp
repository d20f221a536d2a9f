// SPDX-License-Identifier: Apache-2.0
// Conversions between ONNX order and channels-last views, compared with element-wise loops.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/half.hpp"

namespace parconv {
namespace {

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

/// Calls visit(linear ONNX index, n, c, d, h, w) for every element.
template <class Visit>
void for_each_onnx(const Extents& extents, Visit&& visit) {
  std::size_t i = 0;
  for (index_t n = 0; n < extents[Axis::N]; ++n)
    for (index_t c = 0; c < extents[Axis::C]; ++c)
      for (index_t d = 0; d < extents[Axis::D]; ++d)
        for (index_t h = 0; h < extents[Axis::H]; ++h)
          for (index_t w = 0; w < extents[Axis::W]; ++w) visit(i++, n, c, d, h, w);
}

/// Integers from 0 to 125, which all types represent exactly.
template <class T>
std::vector<T> counted(index_t count) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>((i * 11 + i / 7) % 126);
  return values;
}

template <class T>
std::vector<std::uint16_t> encoded(const std::vector<T>& values, std::uint16_t (*encode)(float)) {
  std::vector<std::uint16_t> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = encode(static_cast<float>(values[i]));
  return result;
}

void expect_counted(const HostTensor& tensor, const Extents& extents, const char* what) {
  const std::vector<float> expected = counted<float>(volume(extents));
  for_each_onnx(extents, [&](std::size_t i, index_t n, index_t c, index_t d, index_t h, index_t w) {
    ASSERT_EQ(tensor.at(n, c, d, h, w), expected[i]) << what << " " << extents << " at " << i;
  });
}

const std::vector<Extents> shapes{
    {{1, 3, 1, 5, 7}},   {{2, 16, 1, 8, 8}}, {{2, 17, 3, 5, 13}}, {{1, 1, 1, 9, 200}}, {{1, 40, 1, 70, 3}},
    {{3, 2, 1, 100, 1}}, {{5, 33, 1, 1, 1}}, {{7, 1, 1, 1, 1}},   {{1, 1, 1, 1, 1}},   {{2, 5, 4, 1, 6}},
};

TEST(FromOnnxOrder, EveryTypeAndShape) {
  for (const Extents& extents : shapes) {
    const index_t count = volume(extents);
    const auto check = [&](std::span<const std::byte> src, DType type) {
      HostTensor tensor(Box::whole(extents));
      from_onnx_order(src, type, tensor.view());
      expect_counted(tensor, extents, std::string(name_of(type)).c_str());
    };
    check(bytes_of(counted<float>(count)), DType::F32);
    check(bytes_of(counted<double>(count)), DType::F64);
    check(bytes_of(counted<std::uint8_t>(count)), DType::U8);
    check(bytes_of(counted<std::int8_t>(count)), DType::I8);
    check(bytes_of(counted<std::uint16_t>(count)), DType::U16);
    check(bytes_of(counted<std::int16_t>(count)), DType::I16);
    check(bytes_of(encoded(counted<float>(count), half_from_float)), DType::F16);
    check(bytes_of(encoded(counted<float>(count), bfloat16_from_float)), DType::BF16);
  }
}

TEST(FromOnnxOrder, LiteralSignsAndRanges) {
  HostTensor tensor(Box::whole({{1, 2, 1, 1, 1}}));
  from_onnx_order(bytes_of(std::vector<std::int8_t>{-128, 127}), DType::I8, tensor.view());
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), -128.0f);
  EXPECT_EQ(tensor.at(0, 1, 0, 0, 0), 127.0f);
  from_onnx_order(bytes_of(std::vector<std::uint8_t>{200, 255}), DType::U8, tensor.view());
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), 200.0f);
  from_onnx_order(bytes_of(std::vector<std::int16_t>{-32768, 1}), DType::I16, tensor.view());
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), -32768.0f);
  from_onnx_order(bytes_of(std::vector<std::uint16_t>{65535, 1}), DType::U16, tensor.view());
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), 65535.0f);
  from_onnx_order(bytes_of(std::vector<std::uint16_t>{0xc000, 0x3555}), DType::F16, tensor.view());
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), -2.0f);
  EXPECT_EQ(tensor.at(0, 1, 0, 0, 0), 0.333251953125f);
}

TEST(FromOnnxOrder, LiteralTransposition) {
  // Channel 0 is 1 2 / 3 4, channel 1 is 5 6 / 7 8.
  HostTensor tensor(Box::whole({{1, 2, 1, 2, 2}}));
  from_onnx_order(bytes_of(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}), DType::F32, tensor.view());
  const auto* memory = reinterpret_cast<const float*>(tensor.view().data);
  EXPECT_EQ(std::vector<float>(memory, memory + 8), (std::vector<float>{1, 5, 2, 6, 3, 7, 4, 8}));
}

TEST(FromOnnxOrder, ScalesPerChannel) {
  HostTensor tensor(Box::whole({{1, 2, 1, 1, 3}}));
  const InputScaling scaling{.scale = 0.5f, .mean = {1, 2}, .std = {4, 0.25f}};
  from_onnx_order(bytes_of(std::vector<std::uint8_t>{0, 10, 255, 0, 10, 255}), DType::U8, tensor.view(), scaling);
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), -0.25f);
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 1), 1.0f);
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 2), 31.625f);
  EXPECT_EQ(tensor.at(0, 1, 0, 0, 0), -8.0f);
  EXPECT_EQ(tensor.at(0, 1, 0, 0, 1), 12.0f);
  EXPECT_EQ(tensor.at(0, 1, 0, 0, 2), 502.0f);
}

TEST(FromOnnxOrder, EachPartOfTheScalingAlone) {
  const std::vector<float> src{6};
  HostTensor tensor(Box::whole({{1, 1, 1, 1, 1}}));
  from_onnx_order(bytes_of(src), DType::F32, tensor.view(), {.scale = 2});
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), 12.0f);
  from_onnx_order(bytes_of(src), DType::F32, tensor.view(), {.mean = {1}});
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), 5.0f);
  from_onnx_order(bytes_of(src), DType::F32, tensor.view(), {.std = {4}});
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 0), 1.5f);
}

TEST(FromOnnxOrder, TakesUnalignedSources) {
  const std::vector<float> values{1, 2, 3};
  std::vector<std::byte> shifted(13);
  std::memcpy(shifted.data() + 1, values.data(), 12);
  HostTensor tensor(Box::whole({{1, 1, 1, 1, 3}}));
  from_onnx_order(std::span(shifted).subspan(1), DType::F32, tensor.view());
  EXPECT_EQ(tensor.at(0, 0, 0, 0, 2), 3.0f);
}

TEST(ConvertOnnxOrder, RandomViewsRoundTrip) {
  std::mt19937 engine(4);
  const auto in = [&](index_t lo, index_t hi) { return std::uniform_int_distribution<index_t>(lo, hi)(engine); };
  for (int round = 0; round < 300; ++round) {
    const Extents extents{{in(1, 3), in(1, 40), in(1, 3), in(1, 12), in(1, 80)}};
    Box outer = Box::whole(extents);
    for (Axis axis : all_axes) {
      if (in(0, 1) == 0) outer[axis] = {-in(0, 3), extents[axis] + in(0, 3)};
    }
    HostTensor tensor(outer);
    const std::vector<float> src = counted<float>(volume(extents));
    from_onnx_order(bytes_of(src), DType::F32, tensor.view(Box::whole(extents)));
    expect_counted(tensor, extents, "f32");
    double sum = 0;
    const auto* memory = reinterpret_cast<const float*>(tensor.view().data);
    for (index_t i = 0; i < volume(outer); ++i) sum += static_cast<double>(memory[i]);
    double expected_sum = 0;
    for (float value : src) expected_sum += static_cast<double>(value);
    ASSERT_EQ(sum, expected_sum) << "written outside of the view";
    std::vector<float> back(src.size());
    to_onnx_order(tensor.view(Box::whole(extents)), back);
    ASSERT_EQ(back, src) << extents << " in " << outer;
  }
}

TEST(ConvertOnnxOrder, EmptyBoxes) {
  const Box outer = Box::whole({{1, 4, 1, 3, 3}});
  HostTensor tensor(outer);
  EXPECT_NO_THROW(from_onnx_order({}, DType::F32, tensor.view(outer.with(Axis::H, {1, 1}))));
  EXPECT_NO_THROW(to_onnx_order(tensor.view(outer.with(Axis::C, {1, 1})), {}));
}

TEST(ConvertOnnxOrder, RejectsMismatchedSizes) {
  HostTensor tensor(Box::whole({{1, 2, 1, 1, 3}}));
  const std::vector<float> five(5);
  EXPECT_THROW(from_onnx_order(bytes_of(five), DType::F32, tensor.view()), Bug);
  const std::vector<float> six(6);
  EXPECT_THROW(from_onnx_order(bytes_of(six), DType::F32, tensor.view(), {.mean = {1, 2, 3}}), Bug);
  const std::vector<std::int32_t> integers(6);
  EXPECT_THROW(from_onnx_order(bytes_of(integers), DType::I32, tensor.view()), Error);
}

/// Values that bf16 does not represent.
std::vector<float> thirds(index_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 3.0F;
  return values;
}

TEST(Convert, RoundsOnceToBfloat16AndBack) {
  const Extents extents{{2, 5, 1, 4, 7}};
  const std::vector<float> values = thirds(volume(extents));
  for (const bool is_inside : {false, true}) {
    Box outer = Box::whole(extents);
    if (is_inside)
      for (Interval& interval : outer.intervals) interval = {-1, interval.hi + 2};
    HostTensor rounded(outer, DType::BF16);
    HostTensor widened(outer);
    from_onnx_order(bytes_of(values), DType::F32, rounded.view(Box::whole(extents)));
    convert(std::as_const(rounded).view(Box::whole(extents)), widened.view(Box::whole(extents)));
    std::vector<float> direct(values.size());
    to_onnx_order(std::as_const(rounded).view(Box::whole(extents)), direct);
    for_each_onnx(extents, [&](std::size_t i, index_t n, index_t c, index_t d, index_t h, index_t w) {
      ASSERT_EQ(widened.at(n, c, d, h, w), rounded_to_bfloat16(values[i])) << i;
      ASSERT_EQ(direct[i], rounded_to_bfloat16(values[i])) << i;
    });
    HostTensor again(outer, DType::BF16);
    convert(std::as_const(widened).view(Box::whole(extents)), again.view(Box::whole(extents)));
    std::vector<float> after(values.size());
    to_onnx_order(std::as_const(again).view(Box::whole(extents)), after);
    EXPECT_EQ(after, direct);
  }
}

TEST(Convert, ScalesBeforeItRounds) {
  const Extents extents{{1, 2, 1, 1, 3}};
  const std::vector<std::uint8_t> values{250, 251, 252, 253, 254, 255};
  const InputScaling scaling{.scale = 1.0F / 255, .mean = {0.485F, 0.456F}, .std = {0.229F, 0.224F}};
  HostTensor exact(Box::whole(extents));
  HostTensor rounded(Box::whole(extents), DType::BF16);
  from_onnx_order(bytes_of(values), DType::U8, exact.view(), scaling);
  from_onnx_order(bytes_of(values), DType::U8, rounded.view(), scaling);
  std::vector<float> expected(values.size());
  std::vector<float> actual(values.size());
  to_onnx_order(std::as_const(exact).view(), expected);
  to_onnx_order(std::as_const(rounded).view(), actual);
  for (std::size_t k = 0; k < values.size(); ++k) EXPECT_EQ(actual[k], rounded_to_bfloat16(expected[k]));
}

}  // namespace
}  // namespace parconv
