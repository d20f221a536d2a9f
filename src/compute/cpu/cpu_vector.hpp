// SPDX-License-Identifier: Apache-2.0
// The inner loops of the CPU kernels, compiled for several instruction sets and dispatched at program start.
#pragma once

#include <span>

#include "parconv/model/operators.hpp"

namespace parconv::cpu {

/// Pixels of `channels` consecutive elements each, `pitch` elements apart. A pitch of 0 repeats one pixel.
struct Row {
  float* data = nullptr;
  index_t pitch = 0;
};
struct ConstRow {
  const float* data = nullptr;
  index_t pitch = 0;

  ConstRow() = default;
  ConstRow(const float* data_, index_t pitch_) : data(data_), pitch(pitch_) {}
  ConstRow(const Row& row) : data(row.data), pitch(row.pitch) {}
};
struct RowShape {
  index_t pixels = 1;
  index_t channels = 1;
};

// In all of these dst may be identical to a source; otherwise operands do not overlap.

void copy_row(Row dst, ConstRow src, RowShape shape);
/// Broadcasts the first channel of src to all channels of dst.
void spread_row(Row dst, ConstRow src, RowShape shape);
void fill_row(Row dst, float value, RowShape shape);
/// dst = a + b.
void add_rows(Row dst, ConstRow a, ConstRow b, RowShape shape);
/// dst = kind(a, b).
void combine_rows(BinaryKind kind, Row dst, ConstRow a, ConstRow b, RowShape shape);
/// dst += bias, one value per channel.
void add_bias_to_row(Row dst, std::span<const float> bias, index_t pixels);
/// dst = scale * src + shift, with one scale and one shift per channel.
void scale_shift_row(Row dst, ConstRow src, std::span<const float> scale, std::span<const float> shift, index_t pixels);
void divide(std::span<float> pixel, float divisor);
void activate_row(Row dst, RowShape shape, const Activation& activation);

/// The addresses of pixels that are combined into one.
using Taps = std::span<const float* const>;

/// pixel[c] = sum over k, in order, of taps[k][c]; 0 without taps.
void sum_taps(std::span<float> pixel, Taps taps);
/// pixel[c] = maximum over k of taps[k][c]; minus infinity without taps.
void max_taps(std::span<float> pixel, Taps taps);
/// The number that leaves the others as they are: 0, 1 or an infinity.
float neutral_element(ReduceKind kind);
/// pixel[c] = the reduction of taps[k][c] over k, in order; the neutral element without taps. A tap may be `pixel` itself.
void join_taps(ReduceKind kind, std::span<float> pixel, Taps taps);
/// The reduction of `first` and all numbers, in order.
float join(ReduceKind kind, float first, std::span<const float> numbers);

}  // namespace parconv::cpu
