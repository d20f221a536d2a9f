// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/chunk_ranges.hpp"

#include <algorithm>

namespace parconv::direct {
namespace {

constexpr index_t elem_bytes = sizeof(float);

/// Rows of a chunk: so few that their sources stay in cache while all filters pass, more where the filters do not fit, and with
/// taps along w enough to fill tiles with the pixels at an edge, which have taps of their own.
index_t wanted_rows(const ConvShape& shape) {
  constexpr index_t tile_rows = 6, most_src_bytes = 160000;
  const index_t weight_bytes = shape.groups * shape.oc * shape.ic * shape.taps() * elem_bytes;
  const index_t width = shape.out[Axis::W], pixels = weight_bytes <= 300000 ? 112 : 448;
  const index_t rows = std::max<index_t>(1, (pixels + width / 2) / width);
  const WindowAxis& along_h = shape.window.axes[1];
  const index_t row_bytes = along_h.stride * shape.in[Axis::W] * shape.groups * shape.ic * elem_bytes;
  if (shape.window.axes[2].kernel > 1)
    return std::max(rows, std::min(tile_rows, most_src_bytes / std::max<index_t>(1, row_bytes)));
  return rows;
}

/// Of `count` outputs along an axis.
index_t num_inputs(const ConvShape& shape, Axis axis, index_t count) {
  const WindowAxis& along = shape.window[axis];
  const index_t inputs = along.kernel == 1 ? count : (count - 1) * along.stride + along.span();
  return std::min(shape.in[axis], inputs);
}

/// Bytes of the copied sources of `rows` output rows.
index_t copy_bytes(const ConvShape& shape, index_t rows) {
  const index_t height = shape.out[Axis::H], slices = std::max<index_t>(1, rows / height);
  const index_t pixels = num_inputs(shape, Axis::D, std::min(slices, shape.out[Axis::D])) *
                         num_inputs(shape, Axis::H, std::min(rows, height)) * num_inputs(shape, Axis::W, shape.out[Axis::W]);
  return std::max<index_t>(1, slices / shape.out[Axis::D]) * pixels * shape.groups * shape.ic * elem_bytes;
}

/// As many of the rows as fit the second cache with their copied sources.
index_t fewer_rows(const ConvShape& shape, index_t rows) {
  constexpr index_t most_bytes = 450000;
  while (rows > 1 && copy_bytes(shape, rows) > most_bytes)
    rows = rows > shape.out[Axis::H] ? rows - shape.out[Axis::H] : rows - 1;
  return std::max<index_t>(1, rows);
}

}  // namespace

bool has_copied_sources(const ConvShape& shape) {
  constexpr index_t few_channels = 16;
  if (shape.src_type != DType::F32) return true;
  const bool is_run = shape.groups == 1 && shape.ic <= few_channels && shape.window.axes[2].kernel > 1 &&
                      shape.window.axes[2].dilation == 1 && shape.leaves.count == 1;
  return is_run && shape.src_strides[Axis::W] != shape.ic;
}

ChunkRanges::ChunkRanges(const ConvShape& shape) : depth_(shape.out[Axis::D]), height_(shape.out[Axis::H]) {
  const index_t most = wanted_rows(shape), wanted = has_copied_sources(shape) ? fewer_rows(shape, most) : most;
  const index_t samples = shape.out[Axis::N], sample_rows = depth_ * height_;
  const bool has_samples = wanted >= sample_rows, has_slices = wanted >= height_;
  rows_at_once_ = has_samples ? sample_rows : has_slices ? height_ : 1;
  num_units_ = has_samples ? 1 : has_slices ? samples : samples * depth_;
  unit_rows_ = samples * sample_rows / num_units_;
  chunks_per_unit_ = ceil_div(unit_rows_ / rows_at_once_, wanted / rows_at_once_);
}

ChunkRange ChunkRanges::at(index_t index) const {
  const index_t unit = index / chunks_per_unit_, part = index % chunks_per_unit_, pieces = unit_rows_ / rows_at_once_;
  const index_t first = unit * unit_rows_ + pieces * part / chunks_per_unit_ * rows_at_once_;
  const index_t last = unit * unit_rows_ + pieces * (part + 1) / chunks_per_unit_ * rows_at_once_;
  const index_t sample_rows = depth_ * height_, n = first / sample_rows, d = first / height_ % depth_, h = first % height_;
  if (last - first >= sample_rows) return {.n = {n, n + (last - first) / sample_rows}, .d = {0, depth_}, .h = {0, height_}};
  if (last - first >= height_) return {.n = {n, n + 1}, .d = {d, d + (last - first) / height_}, .h = {0, height_}};
  return {.n = {n, n + 1}, .d = {d, d + 1}, .h = {h, h + last - first}};
}

}  // namespace parconv::direct
