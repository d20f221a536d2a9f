// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/chunk.hpp"

#include <algorithm>
#include <array>

#include "compute/elements/axis_taps.hpp"

namespace parconv::direct {
namespace {

constexpr index_t elem_bytes = sizeof(float);

/// Rows of a chunk: so few that their sources stay in cache while all filters pass, more where the filters do not fit, and with
/// taps along w enough to fill tiles with the pixels at an edge, which have taps of their own.
index_t num_rows_per_chunk(const ConvShape& shape) {
  constexpr index_t tile_rows = 6, most_src_bytes = 160000;
  const index_t weight_bytes = shape.groups * shape.oc * shape.ic * shape.taps() * elem_bytes;
  const index_t width = shape.out[Axis::W], pixels = weight_bytes <= 300000 ? 112 : 448;
  const index_t rows = std::max<index_t>(1, (pixels + width / 2) / width);
  if (shape.window.axes[2].kernel == 1) return rows;
  const WindowAxis& along_h = shape.window.axes[1];
  const index_t row_bytes = along_h.stride * shape.in[Axis::W] * shape.groups * shape.ic * elem_bytes;
  return std::max(rows, std::min(tile_rows, most_src_bytes / row_bytes));
}

/// The taps of output `out` inside the tensor, in the order of the sum: position k is tap k, or with TapOrder::Descending the
/// kernel's last tap less k.
Interval positions_inside(const WindowAxis& window, index_t out, index_t in_size, TapOrder order) {
  const Interval taps = taps_inside(window, out, in_size);
  if (order == TapOrder::Ascending) return taps;
  return {window.kernel - taps.hi, window.kernel - taps.lo};
}

/// The input under position `k` of a sum, from the output's first tap at `out * stride - pad_lo`.
index_t offset_at(const WindowAxis& window, index_t k, TapOrder order) {
  return (order == TapOrder::Ascending ? k : window.kernel - 1 - k) * window.dilation;
}

bool has_same_taps(const Chunk::Row& a, const Chunk::Row& b) { return a.kd == b.kd && a.kh == b.kh; }

bool comes_before(const Chunk::Row& a, const Chunk::Row& b) {
  const auto key = [](const Chunk::Row& row) { return std::array{row.kd.lo, row.kd.hi, row.kh.lo, row.kh.hi}; };
  return key(a) < key(b);
}

}  // namespace

Chunks::Chunks(const ConvShape& shape) : shape_(shape), leaves_(present_leaves(shape)) {
  const WindowAxis& along_w = shape.window.axes[2];
  is_merged_ = !shape.is_channelwise() && shape.groups == 1 && leaves_.size() == 1 && along_w.dilation == 1 &&
               shape.src_strides[Axis::W] == shape.ic && shape.order == TapOrder::Ascending;
  const index_t width = shape.out[Axis::W];
  num_rows_ = shape.out[Axis::N] * shape.out[Axis::D] * shape.out[Axis::H];
  rows_per_chunk_ = num_rows_per_chunk(shape);
  for (index_t w = 0; w < width; ++w) {
    const Interval kw = positions_inside(along_w, w, shape.in[Axis::W], shape.order);
    if (!columns_.empty() && columns_.back().kw == kw)
      columns_.back().pixels.hi = w + 1;
    else
      columns_.push_back({.pixels = {w, w + 1}, .kw = kw});
  }
}

Chunk::Row Chunks::row_at(index_t number) const {
  const index_t height = shape_.out[Axis::H], depth = shape_.out[Axis::D];
  Chunk::Row row{.n = number / height / depth, .d = number / height % depth, .h = number % height};
  row.kd = positions_inside(shape_.window.axes[0], row.d, shape_.in[Axis::D], shape_.order);
  row.kh = positions_inside(shape_.window.axes[1], row.h, shape_.in[Axis::H], shape_.order);
  return row;
}

/// The rows of a chunk, those with the same taps together.
void Chunks::list_rows(index_t index, std::vector<Chunk::Row>& rows) const {
  rows.clear();
  const index_t first = index * rows_per_chunk_, last = std::min(num_rows_, first + rows_per_chunk_);
  for (index_t number = first; number < last; ++number) {
    const Chunk::Row row = row_at(number);
    rows.insert(std::upper_bound(rows.begin(), rows.end(), row, comes_before), row);
  }
}

Chunk Chunks::reserve() const {
  std::size_t most_kinds = 0;
  Chunk chunk;
  for (index_t index = 0; index < count(); ++index) {
    list_rows(index, chunk.rows);
    std::size_t kinds = 1;
    for (std::size_t k = 1; k < chunk.rows.size(); ++k)
      if (!has_same_taps(chunk.rows[k - 1], chunk.rows[k])) ++kinds;
    most_kinds = std::max(most_kinds, kinds);
  }
  const auto rows = static_cast<std::size_t>(rows_per_chunk_);
  const std::size_t pixels = rows * static_cast<std::size_t>(shape_.out[Axis::W]), segments = most_kinds * columns_.size();
  chunk.src.reserve(pixels + most_pixels);
  chunk.dst.reserve(pixels);
  chunk.residual.reserve(pixels);
  chunk.rows.reserve(rows);
  chunk.segments.reserve(segments);
  chunk.leaves.reserve(segments * leaves_.size());
  chunk.runs.reserve(segments * leaves_.size() * static_cast<std::size_t>(shape_.taps()));
  return chunk;
}

void Chunks::make(index_t index, const Addresses& addresses, Chunk& chunk) const {
  list_rows(index, chunk.rows);
  chunk.src.clear();
  chunk.dst.clear();
  chunk.residual.clear();
  chunk.segments.clear();
  chunk.runs.clear();
  chunk.leaves.clear();
  for (std::size_t first = 0, last = 0; first < chunk.rows.size(); first = last) {
    while (last < chunk.rows.size() && has_same_taps(chunk.rows[first], chunk.rows[last])) ++last;
    for (const Columns& columns : columns_) add_segment(first, last, columns, addresses, chunk);
  }
  chunk.src.insert(chunk.src.end(), most_pixels, chunk.src.back());
}

void Chunks::add_segment(std::size_t first_row, std::size_t last_row, const Columns& columns, const Addresses& addresses,
                         Chunk& chunk) const {
  Segment segment{.begin = std::ssize(chunk.dst), .first_run = chunk.runs.size(), .first_leaf = chunk.leaves.size()};
  for (std::size_t k = first_row; k < last_row; ++k) add_pixels(chunk.rows[k], columns, addresses, chunk);
  segment.end = std::ssize(chunk.dst);
  chunk.segments.push_back(segment);
  add_runs(chunk.rows[first_row], columns, chunk);
}

void Chunks::add_pixels(const Chunk::Row& row, const Columns& columns, const Addresses& addresses, Chunk& chunk) const {
  const auto offset = [&](const Extents& strides) {
    return row.n * strides[Axis::N] + row.d * strides[Axis::D] + row.h * strides[Axis::H];
  };
  const bool is_empty = row.kd.is_empty() || row.kh.is_empty() || columns.kw.is_empty();
  index_t src = 0, src_step = 0;
  if (!is_empty) {
    const std::array<index_t, 3> out{row.d, row.h, columns.pixels.lo}, first{row.kd.lo, row.kh.lo, columns.kw.lo};
    src = row.n * shape_.src_strides[Axis::N];
    for (Axis axis : spatial_axes) {
      const auto k = static_cast<std::size_t>(axis) - 2;
      const WindowAxis& along = shape_.window.axes[k];
      src += (out[k] * along.stride - along.pad_lo + offset_at(along, first[k], shape_.order)) * shape_.src_strides[axis];
    }
    src_step = shape_.window.axes[2].stride * shape_.src_strides[Axis::W];
  }
  const index_t dst = offset(shape_.dst_strides), residual = offset(shape_.residual_strides);
  for (index_t w = columns.pixels.lo; w < columns.pixels.hi; ++w, src += src_step) {
    chunk.src.push_back(addresses.src + src * elem_bytes);
    chunk.dst.push_back(addresses.dst + dst + w * shape_.dst_strides[Axis::W]);
    if (addresses.residual != nullptr)
      chunk.residual.push_back(addresses.residual + residual + w * shape_.residual_strides[Axis::W]);
  }
}

void Chunks::add_runs(const Chunk::Row& row, const Columns& columns, Chunk& chunk) const {
  for (const PresentLeaf& leaf : leaves_) {
    const std::size_t before = chunk.runs.size();
    add_leaf(leaf, row, columns, chunk);
    chunk.leaves.push_back({.num_runs = static_cast<int>(chunk.runs.size() - before), .num_joins = leaf.num_joins});
  }
}

void Chunks::add_leaf(const PresentLeaf& leaf, const Chunk::Row& row, const Columns& columns, Chunk& chunk) const {
  const std::array<index_t, 3> first{row.kd.lo, row.kh.lo, columns.kw.lo};
  const auto& axes = shape_.window.axes;
  const auto distance = [&](Axis axis, index_t position) {  // from the first tap inside the tensor, in bytes
    const auto k = static_cast<std::size_t>(axis) - 2;
    const index_t inputs = offset_at(axes[k], position, shape_.order) - offset_at(axes[k], first[k], shape_.order);
    return inputs * shape_.src_strides[axis] * elem_bytes;
  };
  const auto tap_at = [&](std::size_t axis, index_t position) {
    return shape_.order == TapOrder::Ascending ? position : axes[axis].kernel - 1 - position;
  };
  const index_t channels = leaf.channels.size(), merged = columns.kw.size();
  for (index_t kd = row.kd.lo; kd < row.kd.hi; ++kd)
    for (index_t kh = row.kh.lo; kh < row.kh.hi; ++kh) {
      const index_t start = distance(Axis::D, kd) + distance(Axis::H, kh) + leaf.channels.lo * elem_bytes;
      for (index_t kw = columns.kw.lo; kw < columns.kw.hi; kw += is_merged_ ? merged : 1) {
        const index_t tap = (tap_at(0, kd) * axes[1].kernel + tap_at(1, kh)) * axes[2].kernel + tap_at(2, kw);
        chunk.runs.push_back({.src_bytes = start + distance(Axis::W, kw),
                              .row = leaf.channels.lo * shape_.taps() + tap * channels,
                              .length = is_merged_ ? merged * channels : channels});
      }
    }
}

}  // namespace parconv::direct
