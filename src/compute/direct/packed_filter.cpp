// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/packed_filter.hpp"

#include <algorithm>
#include <utility>

namespace parconv::direct {
namespace {

index_t rounded_up(index_t count, index_t unit) { return (count + unit - 1) / unit * unit; }

/// The blocks of one layout, group by group, of almost equal widths: narrow blocks compute less from each source element.
std::vector<FilterBlock> divided(const FilterLayout& layout, const TileKernels& kernels) {
  const index_t width = kernels.width, vectors = rounded_up(layout.oc, width) / width;
  const index_t count = rounded_up(vectors, kernels.most_vectors) / kernels.most_vectors;
  std::vector<FilterBlock> blocks;
  index_t position = 0;
  for (index_t group = 0; group < layout.groups; ++group)
    for (index_t k = 0; k < count; ++k) {
      const index_t first = k * vectors / count, last = (k + 1) * vectors / count;
      blocks.push_back({.group = group,
                        .first = first * width,
                        .channels = static_cast<int>(std::min(last * width, layout.oc) - first * width),
                        .vectors = last - first,
                        .weights = position});
      position += (last - first) * width * layout.ic * layout.taps;
    }
  return blocks;
}

}  // namespace

FilterLayout layout_of(const ConvShape& shape, InstructionSet set) {
  FilterLayout layout{.set = set, .groups = shape.groups, .ic = shape.ic, .oc = shape.oc, .taps = shape.taps()};
  for (const PresentLeaf& leaf : present_leaves(shape)) layout.leaf_ends.push_back(leaf.channels.hi);
  return layout;
}

PackedFilter::PackedFilter(FilterLayout layout, std::span<const float> weights) : layout_(std::move(layout)) {
  const TileKernels& kernels = tile_kernels(layout_.set);
  if (layout_.groups > 1 && layout_.ic == 1 && layout_.oc == 1) {
    constexpr index_t most_channels = 64;
    pitch_ = rounded_up(layout_.groups, kernels.width);
    for (index_t first = 0; first < layout_.groups; first += most_channels)
      blocks_.push_back(
          {.group = first, .channels = static_cast<int>(std::min(most_channels, layout_.groups - first)), .weights = first});
    memory_.resize(static_cast<std::size_t>(pitch_ * layout_.taps) * sizeof(float));
    pack_channelwise(weights);
    return;
  }
  blocks_ = divided(layout_, kernels);
  const FilterBlock& last = blocks_.back();
  const index_t elems = last.weights + last.vectors * kernels.width * layout_.ic * layout_.taps;
  memory_.resize(static_cast<std::size_t>(elems) * sizeof(float));
  for (const FilterBlock& block : blocks_) pack_block(block, weights);
}

const float* PackedFilter::weights_of(const FilterBlock& block) const {
  return reinterpret_cast<const float*>(memory_.data()) + block.weights;
}

void PackedFilter::pack_channelwise(std::span<const float> weights) {
  float* const packed = reinterpret_cast<float*>(memory_.data());
  for (index_t channel = 0; channel < layout_.groups; ++channel)
    for (index_t tap = 0; tap < layout_.taps; ++tap)
      packed[tap * pitch_ + channel] = weights[static_cast<std::size_t>(channel * layout_.taps + tap)];
}

void PackedFilter::pack_block(const FilterBlock& block, std::span<const float> weights) {
  const index_t width = block.vectors * tile_kernels(layout_.set).width, taps = layout_.taps, ic = layout_.ic;
  float* row = reinterpret_cast<float*>(memory_.data()) + block.weights;
  index_t begin = 0;
  for (const index_t end : layout_.leaf_ends) {
    for (index_t tap = 0; tap < taps; ++tap)
      for (index_t i = begin; i < end; ++i, row += width)
        for (index_t o = 0; o < block.channels; ++o) {
          const index_t filter = block.group * layout_.oc + block.first + o;
          row[o] = weights[static_cast<std::size_t>((filter * ic + i) * taps + tap)];
        }
    begin = end;
  }
}

}  // namespace parconv::direct
