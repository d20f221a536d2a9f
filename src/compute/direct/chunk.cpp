// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/chunk.hpp"

#include <algorithm>
#include <array>

#include "compute/elements/axis_taps.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv::direct {
namespace {

constexpr index_t elem_bytes = sizeof(float);

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

/// Appends `count` addresses, `step` bytes apart.
template <class Byte>
void append(std::vector<Byte*>& addresses, Byte* first, index_t step, index_t count) {
  const std::size_t before = addresses.size();
  addresses.resize(before + static_cast<std::size_t>(count));
  Byte** const added = addresses.data() + before;
  for (index_t k = 0; k < count; ++k) added[k] = first + k * step;
}

bool has_same_taps(const Chunk::Row& a, const Chunk::Row& b) { return a.kd == b.kd && a.kh == b.kh; }

bool comes_before(const Chunk::Row& a, const Chunk::Row& b) {
  const auto key = [](const Chunk::Row& row) { return std::array{row.kd.lo, row.kd.hi, row.kh.lo, row.kh.hi}; };
  return key(a) < key(b);
}

}  // namespace

Chunks::Chunks(const ConvShape& shape) : shape_(shape), ranges_(shape), leaves_(present_leaves(shape)) {
  const WindowAxis& along_w = shape.window.axes[2];
  is_merged_ = !shape.is_channelwise() && shape.groups == 1 && leaves_.size() == 1 && along_w.dilation == 1 &&
               (has_copied_sources(shape) || shape.src_strides[Axis::W] == shape.ic) && shape.order == TapOrder::Ascending;
  for (index_t w = 0; w < shape.out[Axis::W]; ++w) {
    const Interval kw = positions_inside(along_w, w, shape.in[Axis::W], shape.order);
    if (!columns_.empty() && columns_.back().kw == kw)
      columns_.back().pixels.hi = w + 1;
    else
      columns_.push_back({.pixels = {w, w + 1}, .kw = kw});
  }
  for (index_t index = 0; index < ranges_.count(); ++index) most_rows_ = std::max(most_rows_, ranges_.at(index).num_rows());
}

/// The rows of a chunk, those with the same taps together.
void Chunks::list_rows(const ChunkRange& range, std::vector<Chunk::Row>& rows) const {
  rows.clear();
  const auto& axes = shape_.window.axes;
  for (index_t n = range.n.lo; n < range.n.hi; ++n)
    for (index_t d = range.d.lo; d < range.d.hi; ++d)
      for (index_t h = range.h.lo; h < range.h.hi; ++h) {
        const Chunk::Row row{.n = n,
                             .d = d,
                             .h = h,
                             .kd = positions_inside(axes[0], d, shape_.in[Axis::D], shape_.order),
                             .kh = positions_inside(axes[1], h, shape_.in[Axis::H], shape_.order)};
        rows.insert(std::upper_bound(rows.begin(), rows.end(), row, comes_before), row);
      }
}

Chunk Chunks::reserve() const {
  std::size_t most_kinds = 0;
  Chunk chunk;
  for (index_t index = 0; index < ranges_.count(); ++index) {
    list_rows(ranges_.at(index), chunk.rows);
    std::size_t kinds = 1;
    for (std::size_t k = 1; k < chunk.rows.size(); ++k)
      if (!has_same_taps(chunk.rows[k - 1], chunk.rows[k])) ++kinds;
    most_kinds = std::max(most_kinds, kinds);
  }
  const std::size_t pixels = static_cast<std::size_t>(most_pixels()), segments = most_kinds * columns_.size();
  chunk.src.reserve(pixels + direct::most_pixels);
  chunk.dst.reserve(pixels);
  chunk.residual.reserve(pixels);
  chunk.rows.reserve(static_cast<std::size_t>(most_rows_));
  chunk.segments.reserve(segments);
  chunk.leaves.reserve(segments * leaves_.size());
  chunk.runs.reserve(segments * leaves_.size() * static_cast<std::size_t>(shape_.taps()));
  return chunk;
}

void Chunks::make(const ChunkRange& range, const SourceWindow& src, const Addresses& addresses, Chunk& chunk) const {
  list_rows(range, chunk.rows);
  chunk.src.clear();
  chunk.dst.clear();
  chunk.residual.clear();
  chunk.segments.clear();
  chunk.runs.clear();
  chunk.leaves.clear();
  for (std::size_t first = 0, last = 0; first < chunk.rows.size(); first = last) {
    while (last < chunk.rows.size() && has_same_taps(chunk.rows[first], chunk.rows[last])) ++last;
    for (const Columns& columns : columns_) {
      Segment segment{.begin = std::ssize(chunk.dst), .first_run = chunk.runs.size(), .first_leaf = chunk.leaves.size()};
      for (std::size_t k = first; k < last; ++k) {
        add_src(chunk.rows[k], columns, src, chunk);
        add_results(chunk.rows[k], columns.pixels, addresses, chunk);
      }
      segment.end = std::ssize(chunk.dst);
      chunk.segments.push_back(segment);
      add_runs(chunk.rows[first], columns, src, chunk);
    }
  }
  chunk.src.insert(chunk.src.end(), direct::most_pixels, chunk.src.back());
}

void Chunks::add_src(const Chunk::Row& row, const Columns& columns, const SourceWindow& src, Chunk& chunk) const {
  const std::array<index_t, 3> out{row.d, row.h, columns.pixels.lo}, first{row.kd.lo, row.kh.lo, columns.kw.lo};
  index_t offset = 0, step = 0;
  if (!row.kd.is_empty() && !row.kh.is_empty() && !columns.kw.is_empty()) {
    offset = src.offset(Axis::N, row.n);
    for (Axis axis : spatial_axes) {
      const auto k = static_cast<std::size_t>(axis) - 2;
      const WindowAxis& along = shape_.window.axes[k];
      offset += src.offset(axis, out[k] * along.stride - along.pad_lo + offset_at(along, first[k], shape_.order));
    }
    step = shape_.window.axes[2].stride / src.step[Axis::W] * src.strides[Axis::W];
  }
  append(chunk.src, src.first + offset * elem_bytes, step * elem_bytes, columns.pixels.size());
}

void Chunks::add_results(const Chunk::Row& row, Interval pixels, const Addresses& addresses, Chunk& chunk) const {
  const auto bytes = [&](const Extents& strides, DType type) {
    const index_t elems = row.n * strides[Axis::N] + row.d * strides[Axis::D] + row.h * strides[Axis::H];
    return (elems + pixels.lo * strides[Axis::W]) * static_cast<index_t>(size_of(type));
  };
  const auto step = [](const Extents& strides, DType type) { return strides[Axis::W] * static_cast<index_t>(size_of(type)); };
  append(chunk.dst, addresses.dst + bytes(shape_.dst_strides, shape_.dst_type), step(shape_.dst_strides, shape_.dst_type),
         pixels.size());
  if (addresses.residual == nullptr) return;
  append(chunk.residual, addresses.residual + bytes(shape_.residual_strides, shape_.residual_type),
         step(shape_.residual_strides, shape_.residual_type), pixels.size());
}

void Chunks::add_runs(const Chunk::Row& row, const Columns& columns, const SourceWindow& src, Chunk& chunk) const {
  for (const PresentLeaf& leaf : leaves_) {
    const std::size_t before = chunk.runs.size();
    add_leaf(leaf, row, columns, src, chunk);
    chunk.leaves.push_back({.num_runs = static_cast<int>(chunk.runs.size() - before), .num_joins = leaf.num_joins});
  }
}

void Chunks::add_leaf(const PresentLeaf& leaf, const Chunk::Row& row, const Columns& columns, const SourceWindow& src,
                      Chunk& chunk) const {
  const std::array<index_t, 3> first{row.kd.lo, row.kh.lo, columns.kw.lo};
  const auto& axes = shape_.window.axes;
  const auto distance = [&](Axis axis, index_t position) {  // from the first tap inside the tensor, in bytes
    const auto k = static_cast<std::size_t>(axis) - 2;
    const index_t inputs = offset_at(axes[k], position, shape_.order) - offset_at(axes[k], first[k], shape_.order);
    return inputs * src.strides[axis] * elem_bytes;
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
