// SPDX-License-Identifier: Apache-2.0
// Divides the pixels of a chunk into segments with the same taps.
#pragma once

#include <cstddef>
#include <vector>

#include "compute/direct/chunk_ranges.hpp"
#include "compute/direct/source_window.hpp"

namespace parconv::direct {

/// Pixels [begin, end) of a chunk, whose taps inside the tensor are the same.
struct Segment {
  index_t begin = 0;
  index_t end = 0;
  std::size_t first_run = 0;
  std::size_t first_leaf = 0;
};

/// The operands of one execution.
struct Addresses {
  const std::byte* src = nullptr;
  std::byte* dst = nullptr;
  const std::byte* residual = nullptr;
};

/// The pixels of a chunk, ready for the tile kernels. Memory is kept from chunk to chunk.
struct Chunk {
  /// A row of the output: its sample, slice and row, and the taps inside the tensor along d and h.
  struct Row {
    index_t n = 0;
    index_t d = 0;
    index_t h = 0;
    Interval kd{};
    Interval kh{};
  };

  std::vector<const std::byte*> src{};  ///< the first tap inside the tensor, of each pixel
  std::vector<std::byte*> dst{};
  std::vector<const std::byte*> residual{};
  std::vector<Row> rows{};
  std::vector<Segment> segments{};
  std::vector<Run> runs{};
  std::vector<Leaf> leaves{};
};

/// Makes chunks of one convolution.
class Chunks {
 public:
  explicit Chunks(const ConvShape& shape);

  const ChunkRanges& ranges() const { return ranges_; }
  /// Most pixels of a chunk.
  index_t most_pixels() const { return most_rows_ * shape_.out[Axis::W]; }
  /// A chunk with memory for each of the chunks.
  Chunk reserve() const;
  /// Fills `chunk` with the pixels of `range`, whose sources are in `src`.
  void make(const ChunkRange& range, const SourceWindow& src, const Addresses& addresses, Chunk& chunk) const;

 private:
  /// Columns [lo, hi) of a row, and their taps inside the tensor along w.
  struct Columns {
    Interval pixels{};
    Interval kw{};
  };

  void list_rows(const ChunkRange& range, std::vector<Chunk::Row>& rows) const;
  void add_src(const Chunk::Row& row, const Columns& columns, const SourceWindow& src, Chunk& chunk) const;
  void add_results(const Chunk::Row& row, Interval pixels, const Addresses& addresses, Chunk& chunk) const;
  void add_runs(const Chunk::Row& row, const Columns& columns, const SourceWindow& src, Chunk& chunk) const;
  void add_leaf(const PresentLeaf& leaf, const Chunk::Row& row, const Columns& columns, const SourceWindow& src,
                Chunk& chunk) const;

  ConvShape shape_;
  ChunkRanges ranges_;
  std::vector<PresentLeaf> leaves_;
  std::vector<Columns> columns_{};
  bool is_merged_ = false;  ///< taps along w and the channels are one run
  index_t most_rows_ = 0;
};

}  // namespace parconv::direct
