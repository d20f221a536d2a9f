// SPDX-License-Identifier: Apache-2.0
// Conversion between the order of files and channels-last memory, in tiles that stay in the L1 cache.
#include "parconv/tensor/convert.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

#include "parconv/core/error.hpp"
#include "parconv/tensor/loops.hpp"
#include "tensor/number_rows.hpp"
#include "tensor/streaming.hpp"
#include "tensor/transposition.hpp"

namespace parconv {
namespace {

constexpr index_t tile_bytes = 16384;  // half of an L1 cache
constexpr index_t most_tile_pixels = 1024;
constexpr index_t most_tile_channels = 256;
constexpr index_t most_moved_bytes = 4;  // of a number that is transposed
constexpr index_t cache_line_bytes = 64;

/// The numbers of a tensor as consecutive pixels of several channels, `blocks` times.
struct Traversal {
  LoopNest blocks;  ///< "src" is the ONNX order, "dst" the channels-last operand; in elements
  index_t pixels = 1;
  index_t pixel_stride = 0;  ///< in the channels-last operand
  index_t channels = 1;
  index_t channel_stride = 1;  ///< in the channels-last operand
  index_t plane_elems = 1;     ///< between channels in ONNX order
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
          .pixels = pixels.extent,
          .pixel_stride = has_pixels ? pixels.dst_stride : extents[Axis::C],
          .channels = extents[Axis::C],
          .channel_stride = extents[Axis::C] == 1 ? 1 : layout.strides[Axis::C],
          .plane_elems = plane};
}

/// Extents of a tile.
struct TileExtents {
  index_t channels = 1;
  index_t pixels = 1;
};

TileExtents tile_extents(const Traversal& traversal) {
  const index_t channels = std::min(traversal.channels, most_tile_channels);
  const index_t most = tile_bytes / (channels * index_t{sizeof(float)});
  return {.channels = channels, .pixels = std::clamp<index_t>(most / 16 * 16, 16, most_tile_pixels)};
}

/// A tile of a block: channels and pixels, and where the block begins in both orders.
struct Tile {
  Interval channels{};
  Interval pixels{};
  index_t onnx_elem = 0;
  index_t memory_elem = 0;
};

/// Calls visit(tile) for the part of all tiles that one of `threads` threads has.
template <class Visit>
void for_tiles_of_thread(const Traversal& traversal, int thread, int threads, Visit&& visit) {
  const TileExtents tile = tile_extents(traversal);
  const index_t tiles = ceil_div(traversal.pixels, tile.pixels);
  const Interval own = equal_part(traversal.blocks.count() * tiles, thread, threads);
  index_t block = own.lo / tiles;
  traversal.blocks.for_each({block, ceil_div(own.hi, tiles)}, [&](index_t onnx_elem, index_t memory_elem) {
    const Interval of_block = intersect(own.shifted(-block * tiles), {0, tiles});
    for (index_t k = of_block.lo; k < of_block.hi; ++k) {
      const Interval pixels{k * tile.pixels, std::min((k + 1) * tile.pixels, traversal.pixels)};
      for (index_t c = 0; c < traversal.channels; c += tile.channels)
        visit(Tile{{c, std::min(c + tile.channels, traversal.channels)}, pixels, onnx_elem, memory_elem});
    }
    ++block;
  });
}

/// Calls work(thread, threads) on as many threads as pay.
template <class Work>
void on_threads_for(const Traversal& traversal, const ThreadShare& threads, Work&& work) {
  const index_t tiles = traversal.blocks.count() * ceil_div(traversal.pixels, tile_extents(traversal).pixels);
  const int used = threads_for(tiles, traversal.blocks.count() * traversal.pixels * traversal.channels, threads);
  const auto on_thread = [&](int thread) { work(thread, used); };
  on_threads(used, std::cref(on_thread));
}

/// Memory of one thread for a tile in either order.
using TileMemory = std::array<std::byte, tile_bytes>;

/// Reads ONNX order, writes channels last.
class Reading {
 public:
  struct Source {
    const std::byte* data = nullptr;
    DType type = DType::F32;
  };

  Reading(const Source& src, View dst, const InputScaling& scaling, const ConversionOptions& options)
      : src_(src),
        dst_(dst),
        scaling_(scaling),
        options_(options),
        traversal_(traversal_of(dst.layout)),
        is_scaled_(scaling != InputScaling{}),
        is_as_it_is_(src.type == DType::F32 && dst.layout.type == DType::F32 && !is_scaled_),
        src_bytes_(static_cast<index_t>(size_of(src.type))),
        dst_bytes_(static_cast<index_t>(size_of(dst.layout.type))) {}

  void run() {
    on_threads_for(traversal_, options_.threads, [this](int thread, int threads) {
      for_tiles_of_thread(traversal_, thread, threads, [this](const Tile& tile) { read(tile); });
      if (options_.caching == Caching::Bypassed) finish_streaming();
    });
  }

 private:
  /// Scaling goes by channel, so it precedes the transposition. Otherwise small numbers are moved and long runs converted.
  void read(const Tile& tile) const {
    alignas(memory_alignment) TileMemory planes, pixels;
    prefetch_next(tile);
    if (traversal_.channels == 1 || is_scaled_ || src_bytes_ > most_moved_bytes) {
      const Lines<const std::byte> converted = converted_planes(tile, planes);
      put_pixels(traversal_.channels == 1 ? Lines<const std::byte>{converted.data, dst_bytes_}
                                          : transposed(converted, tile, dst_bytes_, pixels),
                 tile);
    } else {
      const Lines<const std::byte> as_stored{plane_of(tile, tile.channels.lo), traversal_.plane_elems * src_bytes_};
      put_pixels(converted_pixels(transposed(as_stored, tile, src_bytes_, pixels), tile, planes), tile);
    }
  }

  static Lines<const std::byte> transposed(Lines<const std::byte> planes, const Tile& tile, index_t bytes, TileMemory& memory) {
    const Lines<std::byte> pixels{memory.data(), tile.channels.size() * bytes};
    pixels_from_planes(planes, pixels, {tile.channels.size(), tile.pixels.size(), static_cast<std::size_t>(bytes)});
    return {pixels.data, pixels.pitch_bytes};
  }

  /// Planes are too far apart for the prefetching of CPUs, which follows long runs.
  void prefetch_next(const Tile& tile) const {
    const index_t run_bytes = tile.pixels.size() * src_bytes_;
    if (traversal_.channels == 1 || tile.pixels.hi + tile.pixels.size() > traversal_.pixels) return;
    for (index_t c = tile.channels.lo; c < tile.channels.hi; ++c) {
      const std::byte* const next = plane_of(tile, c) + run_bytes;
      for (index_t byte = 0; byte < run_bytes; byte += cache_line_bytes) __builtin_prefetch(next + byte);
    }
  }

  const std::byte* plane_of(const Tile& tile, index_t channel) const {
    return src_.data + (tile.onnx_elem + channel * traversal_.plane_elems + tile.pixels.lo) * src_bytes_;
  }

  Lines<const std::byte> converted_planes(const Tile& tile, TileMemory& memory) const {
    if (is_as_it_is_) return {plane_of(tile, tile.channels.lo), traversal_.plane_elems * src_bytes_};
    const Lines<std::byte> planes{memory.data(), tile.pixels.size() * dst_bytes_};
    for (index_t c = tile.channels.lo; c < tile.channels.hi; ++c)
      convert_run(plane_of(tile, c), planes.data + (c - tile.channels.lo) * planes.pitch_bytes, tile.pixels.size(), c);
    return {planes.data, planes.pitch_bytes};
  }

  /// Precondition: there is no scaling.
  Lines<const std::byte> converted_pixels(Lines<const std::byte> pixels, const Tile& tile, TileMemory& memory) const {
    if (is_as_it_is_) return pixels;
    const index_t count = tile.channels.size() * tile.pixels.size();
    for (index_t k = 0; k < count; k += most_tile_pixels)
      convert_run(pixels.data + k * src_bytes_, memory.data() + k * dst_bytes_, std::min(most_tile_pixels, count - k), 0);
    return {memory.data(), tile.channels.size() * dst_bytes_};
  }

  /// Numbers of one channel, at most `most_tile_pixels`.
  void convert_run(const std::byte* src, std::byte* dst, index_t count, index_t channel) const {
    std::array<float, most_tile_pixels> numbers;
    const bool is_rounded = dst_.layout.type != DType::F32;
    float* const memory = is_rounded ? numbers.data() : reinterpret_cast<float*>(dst);
    const auto run = std::span(memory, static_cast<std::size_t>(count));
    floats_from_row(src, src_.type, run);
    const auto c = static_cast<std::size_t>(channel);
    if (is_scaled_)
      scale_row(run, {.scale = scaling_.scale,
                      .mean = scaling_.mean.empty() ? 0.0F : scaling_.mean[c],
                      .deviation = scaling_.std.empty() ? 1.0F : scaling_.std[c]});
    if (is_rounded) row_from_floats(run, dst_.layout.type, dst);
  }

  void put_pixels(Lines<const std::byte> pixels, const Tile& tile) const {
    const index_t stride = traversal_.pixel_stride, channels = tile.channels.size();
    std::byte* const first =
        dst_.data + (tile.memory_elem + tile.pixels.lo * stride + tile.channels.lo * traversal_.channel_stride) * dst_bytes_;
    const auto size = static_cast<std::size_t>(channels * dst_bytes_);
    if (traversal_.channel_stride != 1) return scatter(pixels, tile, first);
    if (stride == channels) return put(pixels.data, first, size * static_cast<std::size_t>(tile.pixels.size()));
    for (index_t p = 0; p < tile.pixels.size(); ++p)
      std::memcpy(first + p * stride * dst_bytes_, pixels.data + p * pixels.pitch_bytes, size);
  }

  void put(const std::byte* src, std::byte* dst, std::size_t bytes) const {
    if (options_.caching == Caching::Bypassed) return copy_streaming(src, dst, bytes);
    std::memcpy(dst, src, bytes);
  }

  void scatter(Lines<const std::byte> pixels, const Tile& tile, std::byte* first) const {
    const auto size = static_cast<std::size_t>(dst_bytes_);
    for (index_t p = 0; p < tile.pixels.size(); ++p)
      for (index_t c = 0; c < tile.channels.size(); ++c)
        std::memcpy(first + (p * traversal_.pixel_stride + c * traversal_.channel_stride) * dst_bytes_,
                    pixels.data + p * pixels.pitch_bytes + c * dst_bytes_, size);
  }

  Source src_;
  View dst_;
  const InputScaling& scaling_;
  ConversionOptions options_;
  Traversal traversal_;
  bool is_scaled_;
  bool is_as_it_is_;
  index_t src_bytes_;
  index_t dst_bytes_;
};

/// Reads channels last, writes ONNX order.
class Writing {
 public:
  Writing(ConstView src, float* dst, const ThreadShare& threads)
      : src_(src),
        dst_(dst),
        threads_(threads),
        traversal_(traversal_of(src.layout)),
        src_bytes_(static_cast<index_t>(size_of(src.layout.type))) {}

  void run() {
    on_threads_for(traversal_, threads_, [this](int thread, int threads) {
      for_tiles_of_thread(traversal_, thread, threads, [this](const Tile& tile) { write(tile); });
    });
  }

 private:
  void write(const Tile& tile) const {
    prefetch_next(tile);
    alignas(memory_alignment) TileMemory pixels_memory;
    const Lines<const std::byte> pixels = pixels_of(tile, pixels_memory);
    const PixelBlock block{tile.channels.size(), tile.pixels.size(), static_cast<std::size_t>(src_bytes_)};
    float* const first = dst_ + tile.onnx_elem + tile.channels.lo * traversal_.plane_elems + tile.pixels.lo;
    const Lines<std::byte> planes{reinterpret_cast<std::byte*>(first), traversal_.plane_elems * index_t{sizeof(float)}};
    if (src_.layout.type == DType::F32) return move(pixels, planes, block);
    alignas(memory_alignment) TileMemory planes_memory;
    const Lines<std::byte> rounded{planes_memory.data(), block.pixels * src_bytes_};
    move(pixels, rounded, block);
    for (index_t c = 0; c < block.channels; ++c)
      floats_from_row(rounded.data + c * rounded.pitch_bytes, src_.layout.type,
                      std::span(first + c * traversal_.plane_elems, static_cast<std::size_t>(block.pixels)));
  }

  /// Channels of a pixel are read a few at a time, a pattern that the prefetching of CPUs does not follow.
  void prefetch_next(const Tile& tile) const {
    const index_t pixel_bytes = traversal_.pixel_stride * src_bytes_, pixels = tile.pixels.size();
    if (traversal_.channels <= 4 || tile.pixels.hi + pixels > traversal_.pixels) return;
    const std::byte* const next = src_.data + tile.memory_elem * src_bytes_ + tile.pixels.hi * pixel_bytes;
    for (index_t byte = 0; byte < pixels * pixel_bytes; byte += cache_line_bytes) __builtin_prefetch(next + byte);
  }

  static void move(Lines<const std::byte> pixels, Lines<std::byte> planes, const PixelBlock& block) {
    const bool is_one_run = block.channels == 1 && pixels.pitch_bytes == static_cast<index_t>(block.elem_bytes);
    if (is_one_run)
      std::memcpy(planes.data, pixels.data, static_cast<std::size_t>(block.pixels) * block.elem_bytes);
    else
      planes_from_pixels(pixels, planes, block);
  }

  /// The pixels of a tile, gathered if their channels are not contiguous.
  Lines<const std::byte> pixels_of(const Tile& tile, TileMemory& memory) const {
    const index_t stride = traversal_.channel_stride;
    const std::byte* const first =
        src_.data + (tile.memory_elem + tile.pixels.lo * traversal_.pixel_stride + tile.channels.lo * stride) * src_bytes_;
    if (stride == 1) return {first, traversal_.pixel_stride * src_bytes_};
    std::byte* to = memory.data();
    for (index_t p = 0; p < tile.pixels.size(); ++p)
      for (index_t c = 0; c < tile.channels.size(); ++c, to += src_bytes_)
        std::memcpy(to, first + (p * traversal_.pixel_stride + c * stride) * src_bytes_, static_cast<std::size_t>(src_bytes_));
    return {memory.data(), tile.channels.size() * src_bytes_};
  }

  ConstView src_;
  float* dst_;
  ThreadShare threads_;
  Traversal traversal_;
  index_t src_bytes_;
};

bool is_readable(DType type) {
  constexpr std::array readable{DType::F32, DType::F64, DType::F16, DType::BF16, DType::U8, DType::I8, DType::U16, DType::I16};
  return std::find(readable.begin(), readable.end(), type) != readable.end();
}

void expect_fits(std::size_t count, const Extents& channels_of, const char* what) {
  const auto expected = static_cast<std::size_t>(channels_of[Axis::C]);
  PARCONV_EXPECT(count == 0 || count == expected, what, " has ", count, " numbers for ", expected, " channels");
}

}  // namespace

void from_onnx_order(std::span<const std::byte> src, DType src_type, View dst, const InputScaling& scaling,
                     const ConversionOptions& options) {
  const auto elems = static_cast<std::size_t>(volume(dst.layout.extents));
  PARCONV_EXPECT(src.size() == elems * size_of(src_type), src.size(), " bytes of ", name_of(src_type), " for ",
                 dst.layout.extents);
  PARCONV_EXPECT(is_activation_type(dst.layout.type), "dst is ", name_of(dst.layout.type));
  expect_fits(scaling.mean.size(), dst.layout.extents, "mean");
  expect_fits(scaling.std.size(), dst.layout.extents, "std");
  if (elems == 0) return;
  if (!is_readable(src_type))
    throw Error(ExitCode::BadData, concat("input elements of type ", name_of(src_type), " cannot be read"),
                "Store the data as f32, f64, f16, bf16, u8, i8, u16 or i16.");
  Reading({.data = src.data(), .type = src_type}, dst, scaling, options).run();
}

void to_onnx_order(ConstView src, std::span<float> dst, const ThreadShare& threads) {
  PARCONV_EXPECT(dst.size() == static_cast<std::size_t>(volume(src.layout.extents)), dst.size(), " for ", src.layout.extents);
  PARCONV_EXPECT(is_activation_type(src.layout.type), "src is ", name_of(src.layout.type));
  if (!dst.empty()) Writing(src, dst.data(), threads).run();
}

}  // namespace parconv
