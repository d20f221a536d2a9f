// SPDX-License-Identifier: Apache-2.0
// Filters in the order in which the tile kernels read them.
#pragma once

#include <span>
#include <vector>

#include "compute/direct/conv_shape.hpp"
#include "compute/direct/tiles/tile.hpp"
#include "parconv/tensor/aligned.hpp"

namespace parconv::direct {

/// A block of output channels that a tile kernel computes at once.
struct FilterBlock {
  index_t group = 0;
  index_t first = 0;    ///< output channel within the group
  int channels = 0;     ///< valid ones
  index_t vectors = 0;  ///< of the padded width
  index_t weights = 0;  ///< index of the first weight
};

/// How a filter is packed. Equal layouts of equal filters give equal memory.
struct FilterLayout {
  InstructionSet set = InstructionSet::Portable;
  index_t groups = 1;
  index_t ic = 0;
  index_t oc = 0;
  index_t taps = 0;
  std::vector<index_t> leaf_ends{};  ///< of the operand's channels of a group

  friend bool operator==(const FilterLayout&, const FilterLayout&) = default;
};

FilterLayout layout_of(const ConvShape& shape, InstructionSet set);

/// Weights of one convolution. Each block has rows of its padded width: leaf, tap, channel of the leaf. A channelwise filter
/// has a row of all channels for each tap.
class PackedFilter {
 public:
  /// `weights` are in the order oc (of all groups), ic, kd, kh, kw.
  PackedFilter(FilterLayout layout, std::span<const float> weights);

  const FilterLayout& layout() const { return layout_; }
  std::span<const FilterBlock> blocks() const { return blocks_; }
  const float* weights_of(const FilterBlock& block) const;
  /// Elements from row to row of a channelwise filter.
  index_t channelwise_pitch() const { return pitch_; }
  std::size_t size_bytes() const { return memory_.size(); }

 private:
  void pack_channelwise(std::span<const float> weights);
  void pack_block(const FilterBlock& block, std::span<const float> weights);

  FilterLayout layout_;
  std::vector<FilterBlock> blocks_{};
  index_t pitch_ = 0;
  AlignedBytes memory_{};
};

}  // namespace parconv::direct
