// SPDX-License-Identifier: Apache-2.0
// Divides the output of a convolution into chunks of rows, and the pixels of a chunk into segments with the same taps.
#pragma once

#include <cstddef>
#include <vector>

#include "compute/direct/conv_shape.hpp"
#include "compute/direct/tile.hpp"

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
  float* dst = nullptr;
  const float* residual = nullptr;
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
  std::vector<float*> dst{};
  std::vector<const float*> residual{};
  std::vector<Row> rows{};
  std::vector<Segment> segments{};
  std::vector<Run> runs{};
  std::vector<Leaf> leaves{};
};

/// Makes chunks of one convolution.
class Chunks {
 public:
  explicit Chunks(const ConvShape& shape);

  index_t count() const { return (num_rows_ + rows_per_chunk_ - 1) / rows_per_chunk_; }
  /// A chunk with memory for each of the chunks.
  Chunk reserve() const;
  /// Fills `chunk` with chunk number `index`.
  void make(index_t index, const Addresses& addresses, Chunk& chunk) const;

 private:
  /// Columns [lo, hi) of a row, and their taps inside the tensor along w.
  struct Columns {
    Interval pixels{};
    Interval kw{};
  };

  Chunk::Row row_at(index_t number) const;
  void list_rows(index_t index, std::vector<Chunk::Row>& rows) const;
  void add_segment(std::size_t first_row, std::size_t last_row, const Columns& columns, const Addresses& addresses,
                   Chunk& chunk) const;
  void add_pixels(const Chunk::Row& row, const Columns& columns, const Addresses& addresses, Chunk& chunk) const;
  void add_runs(const Chunk::Row& row, const Columns& columns, Chunk& chunk) const;
  void add_leaf(const PresentLeaf& leaf, const Chunk::Row& row, const Columns& columns, Chunk& chunk) const;

  ConvShape shape_;
  std::vector<PresentLeaf> leaves_;
  std::vector<Columns> columns_{};
  bool is_merged_ = false;  ///< taps along w and the channels are one run
  index_t num_rows_ = 0;
  index_t rows_per_chunk_ = 1;
};

}  // namespace parconv::direct
