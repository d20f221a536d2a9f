// SPDX-License-Identifier: Apache-2.0
// Divides the output of a convolution into chunks, whose sources stay in cache while all filters pass.
#pragma once

#include "compute/direct/conv_shape.hpp"

namespace parconv::direct {

/// Whole rows of the output: either some of one slice, or whole slices of one sample, or whole samples.
struct ChunkRange {
  Interval n{};
  Interval d{};
  Interval h{};

  index_t num_rows() const { return n.size() * d.size() * h.size(); }
};

/// True if the sources of a chunk are copied to memory of their own, as f32: elements of other types, and few channels among
/// others, so that the taps along w make one run.
bool has_copied_sources(const ConvShape& shape);

class ChunkRanges {
 public:
  explicit ChunkRanges(const ConvShape& shape);

  index_t count() const { return num_units_ * chunks_per_unit_; }
  ChunkRange at(index_t index) const;

 private:
  index_t depth_;
  index_t height_;
  index_t rows_at_once_ = 1;  ///< of which a chunk has a multiple: 1, those of a slice, or those of a sample
  index_t num_units_ = 1;     ///< that no chunk crosses: slices, samples, or all
  index_t chunks_per_unit_ = 1;
  index_t unit_rows_ = 1;
};

}  // namespace parconv::direct
