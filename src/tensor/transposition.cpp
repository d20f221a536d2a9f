// SPDX-License-Identifier: Apache-2.0
#include "tensor/transposition.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "parconv/core/error.hpp"
#include "parconv/geometry/box.hpp"
#include "parconv/tensor/cpu_dispatch.hpp"

namespace parconv {
namespace {

constexpr index_t vector_bytes = 16;

/// Vectors of 16 bytes, which every CPU has: memory, not shuffling, limits the speed.
template <class Number>
struct Vectors;
template <>
struct Vectors<std::uint32_t> {
  using Vector = std::uint32_t __attribute__((vector_size(vector_bytes)));
#if defined(__clang__) || __GNUC__ >= 12
  static Vector low(Vector a, Vector b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
  static Vector high(Vector a, Vector b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#else
  static Vector low(Vector a, Vector b) { return __builtin_shuffle(a, b, Vector{0, 4, 1, 5}); }
  static Vector high(Vector a, Vector b) { return __builtin_shuffle(a, b, Vector{2, 6, 3, 7}); }
#endif
};
template <>
struct Vectors<std::uint16_t> {
  using Vector = std::uint16_t __attribute__((vector_size(vector_bytes)));
#if defined(__clang__) || __GNUC__ >= 12
  static Vector low(Vector a, Vector b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
  static Vector high(Vector a, Vector b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
  static Vector low(Vector a, Vector b) { return __builtin_shuffle(a, b, Vector{0, 8, 1, 9, 2, 10, 3, 11}); }
  static Vector high(Vector a, Vector b) { return __builtin_shuffle(a, b, Vector{4, 12, 5, 13, 6, 14, 7, 15}); }
#endif
};
template <>
struct Vectors<std::uint8_t> {
  using Vector = std::uint8_t __attribute__((vector_size(vector_bytes)));
#if defined(__clang__) || __GNUC__ >= 12
  static Vector low(Vector a, Vector b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  static Vector high(Vector a, Vector b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
#else
  static Vector low(Vector a, Vector b) {
    return __builtin_shuffle(a, b, Vector{0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23});
  }
  static Vector high(Vector a, Vector b) {
    return __builtin_shuffle(a, b, Vector{8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31});
  }
#endif
};

template <class Number>
constexpr index_t lanes = vector_bytes / index_t{sizeof(Number)};

/// Perfect shuffles: after log2(lanes) of them, line k holds number k of every line.
template <class Number, class Vector>
[[gnu::always_inline]] inline void transpose(std::array<Vector, lanes<Number>>& lines) {
  constexpr std::size_t half = lanes<Number> / 2;
  for (index_t width = 1; width < lanes<Number>; width *= 2) {
    std::array<Vector, lanes<Number>> next;
    for (std::size_t k = 0; k < half; ++k) {
      next[2 * k] = Vectors<Number>::low(lines[k], lines[k + half]);
      next[2 * k + 1] = Vectors<Number>::high(lines[k], lines[k + half]);
    }
    lines = next;
  }
}

/// Lines that are read (fewer: the last one stands for the rest) and written by `square`.
struct SquareLines {
  index_t read = 0;
  index_t written = 0;
};

/// dst[j][i] = src[i][j] for `lanes` numbers of as many lines.
template <class Number>
[[gnu::always_inline]] inline void square(Lines<const std::byte> src, Lines<std::byte> dst, SquareLines count) {
  std::array<typename Vectors<Number>::Vector, lanes<Number>> lines;
  for (index_t k = 0; k < lanes<Number>; ++k)
    std::memcpy(&lines[static_cast<std::size_t>(k)], src.data + std::min(k, count.read - 1) * src.pitch_bytes, vector_bytes);
  transpose<Number>(lines);
  for (index_t k = 0; k < count.written; ++k)
    std::memcpy(dst.data + k * dst.pitch_bytes, &lines[static_cast<std::size_t>(k)], vector_bytes);
}

/// Number j of line i goes to number i of line j, for all i of `is` and j of `js`.
template <class Number>
void singles(Lines<const std::byte> src, Lines<std::byte> dst, Interval is, Interval js) {
  constexpr index_t bytes = sizeof(Number);
  for (index_t i = is.lo; i < is.hi; ++i)
    for (index_t j = js.lo; j < js.hi; ++j)
      std::memcpy(dst.data + j * dst.pitch_bytes + i * bytes, src.data + i * src.pitch_bytes + j * bytes, sizeof(Number));
}

/// Squares along pixels. The steps are bytes from one pixel to the next.
struct Strip {
  index_t pixels = 0;
  index_t src_step = 0;
  index_t dst_step = 0;
};

/// Squares of all pixels; the last one may overlap the one before. Precondition: pixels >= lanes. By value: stores of bytes could
/// change what references refer to.
template <class Number>
void whole_squares(Lines<const std::byte> src, Lines<std::byte> dst, Strip strip) {
  constexpr index_t step = lanes<Number>;
  const auto visit = [=](index_t p) {
    square<Number>({src.data + p * strip.src_step, src.pitch_bytes}, {dst.data + p * strip.dst_step, dst.pitch_bytes},
                   {step, step});
  };
  for (index_t p = 0; p + step <= strip.pixels; p += step) visit(p);
  if (strip.pixels % step != 0) visit(strip.pixels - step);
}

/// Calls visit(c) for steps of `step` that cover `channels`; the last one may overlap the one before.
template <class Visit>
void for_channels(index_t channels, index_t step, Visit&& visit) {
  for (index_t c = 0; c < channels; c += step) visit(std::min(c, channels - step));
}

/// How many of `count` lines of `length` numbers, `pitch` apart, have `ahead` numbers of all lines ahead of them.
index_t lines_before_end(index_t count, index_t length, index_t pitch, index_t ahead) {
  return pitch <= 0 ? 0 : std::max<index_t>(0, count - ceil_div(ahead - length, pitch));
}

/// A number at any address.
template <class Number>
using Unaligned [[gnu::aligned(1), gnu::may_alias]] = Number;

template <class Number, index_t Channels>
[[gnu::always_inline]] inline void interleave(Lines<const std::byte> planes, std::byte* pixels, index_t count) {
  std::array<const Unaligned<Number>*, Channels> from;
  for (index_t c = 0; c < Channels; ++c)
    from[static_cast<std::size_t>(c)] = reinterpret_cast<const Unaligned<Number>*>(planes.data + c * planes.pitch_bytes);
  auto* const to = reinterpret_cast<Unaligned<Number>*>(pixels);
  PARCONV_INDEPENDENT
  for (index_t p = 0; p < count; ++p)
    for (index_t c = 0; c < Channels; ++c) to[p * Channels + c] = from[static_cast<std::size_t>(c)][p];
}

// Three channels, as most images have, in loops that compilers vectorise. Clones are made of functions, not of templates.
PARCONV_FOR_EVERY_CPU
void interleave_three_of_4(Lines<const std::byte> planes, std::byte* pixels, index_t count) {
  interleave<std::uint32_t, 3>(planes, pixels, count);
}
PARCONV_FOR_EVERY_CPU
void interleave_three_of_1(Lines<const std::byte> planes, std::byte* pixels, index_t count) {
  interleave<std::uint8_t, 3>(planes, pixels, count);
}
PARCONV_FOR_EVERY_CPU
void interleave_three_of_2(Lines<const std::byte> planes, std::byte* pixels, index_t count) {
  interleave<std::uint16_t, 3>(planes, pixels, count);
}

template <class Number>
void pixels_from_planes_of(Lines<const std::byte> planes, Lines<std::byte> pixels, const PixelBlock& block) {
  constexpr index_t bytes = sizeof(Number), step = lanes<Number>;
  if (block.channels >= step && block.pixels >= step)
    return for_channels(block.channels, step, [&](index_t c) {
      whole_squares<Number>({planes.data + c * planes.pitch_bytes, planes.pitch_bytes},
                            {pixels.data + c * bytes, pixels.pitch_bytes}, {block.pixels, bytes, pixels.pitch_bytes});
    });
  index_t done = 0;
  if (block.channels < step && pixels.pitch_bytes == block.channels * bytes) {  // pixels spill into the next, written later
    const index_t safe = lines_before_end(block.pixels, block.channels, block.channels, step);
    for (; done + step <= safe; done += step)
      square<Number>({planes.data + done * bytes, planes.pitch_bytes},
                     {pixels.data + done * pixels.pitch_bytes, pixels.pitch_bytes}, {block.channels, step});
  }
  singles<Number>(planes, pixels, {0, block.channels}, {done, block.pixels});
}

template <class Number>
void planes_from_pixels_of(Lines<const std::byte> pixels, Lines<std::byte> planes, const PixelBlock& block) {
  constexpr index_t bytes = sizeof(Number), step = lanes<Number>;
  if (block.channels >= step && block.pixels >= step)
    return for_channels(block.channels, step, [&](index_t c) {
      whole_squares<Number>({pixels.data + c * bytes, pixels.pitch_bytes},
                            {planes.data + c * planes.pitch_bytes, planes.pitch_bytes},
                            {block.pixels, pixels.pitch_bytes, bytes});
    });
  index_t done = 0;
  if (block.channels < step) {  // a pixel is read with the beginning of the next ones
    const index_t safe = lines_before_end(block.pixels, block.channels, pixels.pitch_bytes / bytes, step);
    for (; done + step <= safe; done += step)
      square<Number>({pixels.data + done * pixels.pitch_bytes, pixels.pitch_bytes},
                     {planes.data + done * bytes, planes.pitch_bytes}, {step, block.channels});
  }
  singles<Number>(pixels, planes, {done, block.pixels}, {0, block.channels});
}

}  // namespace

void pixels_from_planes(Lines<const std::byte> planes, Lines<std::byte> pixels, const PixelBlock& block) {
  const bool is_image = block.channels == 3 && pixels.pitch_bytes == 3 * static_cast<index_t>(block.elem_bytes);
  switch (block.elem_bytes) {
    case 1:
      if (is_image) return interleave_three_of_1(planes, pixels.data, block.pixels);
      return pixels_from_planes_of<std::uint8_t>(planes, pixels, block);
    case 2:
      if (is_image) return interleave_three_of_2(planes, pixels.data, block.pixels);
      return pixels_from_planes_of<std::uint16_t>(planes, pixels, block);
    case 4:
      if (is_image) return interleave_three_of_4(planes, pixels.data, block.pixels);
      return pixels_from_planes_of<std::uint32_t>(planes, pixels, block);
    default:
      PARCONV_EXPECT(false, block.elem_bytes);
  }
}

void planes_from_pixels(Lines<const std::byte> pixels, Lines<std::byte> planes, const PixelBlock& block) {
  switch (block.elem_bytes) {
    case 2:
      return planes_from_pixels_of<std::uint16_t>(pixels, planes, block);
    case 4:
      return planes_from_pixels_of<std::uint32_t>(pixels, planes, block);
    default:
      PARCONV_EXPECT(false, block.elem_bytes);
  }
}

}  // namespace parconv
