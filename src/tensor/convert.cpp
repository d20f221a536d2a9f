// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/convert.hpp"

#include <cstring>

#include "parconv/core/error.hpp"
#include "parconv/tensor/half.hpp"
#include "parconv/tensor/loops.hpp"

namespace parconv {
namespace {

// Tiles of both orders fit the L1 cache: 16 channels are one cache line of a pixel.
constexpr index_t tile_channels = 16;
constexpr index_t tile_pixels = 64;
using TileRow = std::array<float, tile_pixels>;
using Tile = std::array<TileRow, tile_channels>;

/// Consecutive pixels of one sample and channel, and the channel strides.
struct Rows {
  index_t pixels = 1;
  index_t pixel_stride = 0;  ///< in the channels-last operand
  index_t channels = 1;
  index_t channel_stride = 0;  ///< in the channels-last operand
  index_t plane_elems = 1;     ///< between channels in ONNX order
};

struct Traversal {
  LoopNest blocks;  ///< "src" is the ONNX order, "dst" the channels-last operand
  Rows rows;
};

Traversal traversal_of(const OperandLayout& layout) {
  constexpr std::array<Axis, 4> axes{Axis::N, Axis::D, Axis::H, Axis::W};
  const Extents& extents = layout.extents;
  const index_t row = extents[Axis::W];
  const index_t slice = row * extents[Axis::H];
  const index_t plane = slice * extents[Axis::D];
  const std::array<index_t, 4> onnx_strides{plane * extents[Axis::C], slice, row, 1};
  std::array<Loop, 4> loops;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    loops[k] = {.extent = extents[axes[k]], .src_stride = onnx_strides[k], .dst_stride = layout.strides[axes[k]]};
  }
  LoopNest blocks(loops);
  // The fastest loop has stride 1 in ONNX order, except over n with one pixel per sample: that one stays outside.
  const bool has_pixels = !blocks.loops().empty() && blocks.loops().back().src_stride == 1;
  const Loop pixels = has_pixels ? blocks.pop_fastest() : Loop{};
  return {.blocks = blocks,
          .rows = {.pixels = pixels.extent,
                   .pixel_stride = pixels.dst_stride,
                   .channels = extents[Axis::C],
                   .channel_stride = layout.strides[Axis::C],
                   .plane_elems = plane}};
}

/// Calls visit(channels, pixels) for every tile.
template <class Visit>
void for_each_tile(const Rows& rows, Visit&& visit) {
  for (index_t p = 0; p < rows.pixels; p += tile_pixels) {
    for (index_t c = 0; c < rows.channels; c += tile_channels) {
      visit(Interval{c, std::min(c + tile_channels, rows.channels)}, Interval{p, std::min(p + tile_pixels, rows.pixels)});
    }
  }
}

/// Bit patterns of f16 or bf16.
struct Half {
  std::uint16_t bits = 0;
};
struct Bfloat16 {
  std::uint16_t bits = 0;
};

float to_float(Half value) { return float_from_half(value.bits); }
float to_float(Bfloat16 value) { return float_from_bfloat16(value.bits); }
template <class T>
float to_float(T value) {
  return static_cast<float>(value);
}

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <class T>
void convert_row(const std::byte* src, std::span<float> row) {
  for (std::size_t p = 0; p < row.size(); ++p) row[p] = to_float(load<T>(src + p * sizeof(T)));
}

void scale_row(std::span<float> row, const InputScaling& scaling, std::size_t channel) {
  const float scale = scaling.scale;
  const float mean = scaling.mean.empty() ? 0.0f : scaling.mean[channel];
  const float deviation = scaling.std.empty() ? 1.0f : scaling.std[channel];
  for (float& value : row) value = (value * scale - mean) / deviation;
}

void put(float value, float& dst) { dst = value; }
void put(float value, Half& dst) { dst.bits = half_from_float(value); }
void put(float value, Bfloat16& dst) { dst.bits = bfloat16_from_float(value); }

template <class Element>
void store_tile(const Tile& tile, const Rows& rows, Interval channels, Interval pixels, Element* dst) {
  for (index_t p = 0; p < pixels.size(); ++p) {
    Element* pixel = dst + (pixels.lo + p) * rows.pixel_stride + channels.lo * rows.channel_stride;
    for (index_t c = 0; c < channels.size(); ++c) {
      put(tile[static_cast<std::size_t>(c)][static_cast<std::size_t>(p)], pixel[c * rows.channel_stride]);
    }
  }
}

template <class Element>
void load_tile(Tile& tile, const Rows& rows, Interval channels, Interval pixels, const Element* src) {
  for (index_t p = 0; p < pixels.size(); ++p) {
    const Element* pixel = src + (pixels.lo + p) * rows.pixel_stride + channels.lo * rows.channel_stride;
    for (index_t c = 0; c < channels.size(); ++c) {
      tile[static_cast<std::size_t>(c)][static_cast<std::size_t>(p)] = to_float(pixel[c * rows.channel_stride]);
    }
  }
}

template <class T, class Element>
void read_block(const std::byte* src, const Rows& rows, Element* dst, const InputScaling& scaling) {
  const bool is_scaled = scaling != InputScaling{};
  Tile tile;
  for_each_tile(rows, [&](Interval channels, Interval pixels) {
    for (index_t c = channels.lo; c < channels.hi; ++c) {
      const auto elem = static_cast<std::size_t>(c * rows.plane_elems + pixels.lo);
      const auto row = std::span(tile[static_cast<std::size_t>(c - channels.lo)]).first(static_cast<std::size_t>(pixels.size()));
      convert_row<T>(src + elem * sizeof(T), row);
      if (is_scaled) scale_row(row, scaling, static_cast<std::size_t>(c));
    }
    store_tile(tile, rows, channels, pixels, dst);
  });
}

template <class T, class Element>
void read_blocks_as(std::span<const std::byte> src, View dst, const InputScaling& scaling) {
  const Traversal traversal = traversal_of(dst.layout);
  auto* memory = reinterpret_cast<Element*>(dst.data);
  traversal.blocks.for_each([&](index_t from, index_t to) {
    read_block<T>(src.data() + static_cast<std::size_t>(from) * sizeof(T), traversal.rows, memory + to, scaling);
  });
}

template <class T>
void read_blocks(std::span<const std::byte> src, View dst, const InputScaling& scaling) {
  if (dst.layout.type == DType::F16) return read_blocks_as<T, Half>(src, dst, scaling);
  if (dst.layout.type == DType::BF16) return read_blocks_as<T, Bfloat16>(src, dst, scaling);
  read_blocks_as<T, float>(src, dst, scaling);
}

template <class Element>
void write_block(const Element* src, const Rows& rows, float* dst) {
  Tile tile;
  for_each_tile(rows, [&](Interval channels, Interval pixels) {
    load_tile(tile, rows, channels, pixels, src);
    for (index_t c = channels.lo; c < channels.hi; ++c) {
      const TileRow& row = tile[static_cast<std::size_t>(c - channels.lo)];
      std::copy_n(row.begin(), pixels.size(), dst + c * rows.plane_elems + pixels.lo);
    }
  });
}

template <class Element>
void write_blocks(ConstView src, float* dst) {
  const Traversal traversal = traversal_of(src.layout);
  const auto* memory = reinterpret_cast<const Element*>(src.data);
  traversal.blocks.for_each([&](index_t to, index_t from) { write_block(memory + from, traversal.rows, dst + to); });
}

void expect_fits(std::size_t count, const Extents& channels_of, const char* what) {
  const auto expected = static_cast<std::size_t>(channels_of[Axis::C]);
  PARCONV_EXPECT(count == 0 || count == expected, what, " has ", count, " numbers for ", expected, " channels");
}

}  // namespace

void from_onnx_order(std::span<const std::byte> src, DType src_type, View dst, const InputScaling& scaling) {
  const auto elems = static_cast<std::size_t>(volume(dst.layout.extents));
  PARCONV_EXPECT(src.size() == elems * size_of(src_type), src.size(), " bytes of ", name_of(src_type), " for ",
                 dst.layout.extents);
  PARCONV_EXPECT(is_activation_type(dst.layout.type), "dst is ", name_of(dst.layout.type));
  expect_fits(scaling.mean.size(), dst.layout.extents, "mean");
  expect_fits(scaling.std.size(), dst.layout.extents, "std");
  if (elems == 0) return;
  switch (src_type) {
    case DType::F32:
      return read_blocks<float>(src, dst, scaling);
    case DType::F64:
      return read_blocks<double>(src, dst, scaling);
    case DType::F16:
      return read_blocks<Half>(src, dst, scaling);
    case DType::BF16:
      return read_blocks<Bfloat16>(src, dst, scaling);
    case DType::U8:
      return read_blocks<std::uint8_t>(src, dst, scaling);
    case DType::I8:
      return read_blocks<std::int8_t>(src, dst, scaling);
    case DType::U16:
      return read_blocks<std::uint16_t>(src, dst, scaling);
    case DType::I16:
      return read_blocks<std::int16_t>(src, dst, scaling);
    case DType::I32:
    case DType::I64:
    case DType::Accumulator:
      break;
  }
  throw Error(ExitCode::BadData, concat("input elements of type ", name_of(src_type), " cannot be read"),
              "Store the data as f32, f64, f16, bf16, u8, i8, u16 or i16.");
}

void to_onnx_order(ConstView src, std::span<float> dst) {
  PARCONV_EXPECT(dst.size() == static_cast<std::size_t>(volume(src.layout.extents)), dst.size(), " for ", src.layout.extents);
  PARCONV_EXPECT(is_activation_type(src.layout.type), "src is ", name_of(src.layout.type));
  if (dst.empty()) return;
  if (src.layout.type == DType::F16) return write_blocks<Half>(src, dst.data());
  if (src.layout.type == DType::BF16) return write_blocks<Bfloat16>(src, dst.data());
  write_blocks<float>(src, dst.data());
}

}  // namespace parconv
