// SPDX-License-Identifier: Apache-2.0
#include "compute/reference/reference_filter.hpp"

#include "compute/compute_type.hpp"
#include "parconv/core/error.hpp"

namespace parconv::reference {
namespace {

void check_block(const ChannelBlock& block, const Window& window, const CallExtents& call) {
  const Interval src_channels{0, call.srcs.front()[Axis::C]}, dst_channels{0, call.dst[Axis::C]};
  PARCONV_EXPECT(block.groups >= 1 && block.src.size() == block.groups * block.filter.ic.size(), "src ", block.src);
  PARCONV_EXPECT(src_channels.contains(block.src), "channels ", block.src, " of ", call.srcs.front());
  PARCONV_EXPECT(block.dst.size() == block.filter.oc.size() && block.dst.size() % block.groups == 0, "dst ", block.dst);
  PARCONV_EXPECT(dst_channels.contains(block.dst), "channels ", block.dst, " of ", call.dst);
  for (std::size_t k = 0; k < window.axes.size(); ++k)
    PARCONV_EXPECT(block.filter.kernel[k].size() == window.axes[k].kernel, "taps ", block.filter.kernel[k]);
}

}  // namespace

void check_blocks(std::span<const ChannelBlock> blocks, const Window& window, const CallExtents& call) {
  index_t covered = 0;
  for (const ChannelBlock& block : blocks) {
    check_block(block, window, call);
    covered += block.dst.size();
  }
  PARCONV_EXPECT(covered == call.dst[Axis::C], "pieces make ", covered, " channels of ", call.dst);
}

std::vector<WeightedPiece> read_blocks(const LocalOp& op, std::span<const ChannelBlock> blocks, const Filter& filter,
                                       const FilterReader& read_filter) {
  std::vector<WeightedPiece> result;
  for (const ChannelBlock& channels : blocks) {
    std::vector<float> weights = read_filter(filter, channels.filter);
    PARCONV_EXPECT(std::ssize(weights) == channels.filter.volume(), "read ", weights.size(), " weights");
    round_weights(weights, op);
    result.push_back({.channels = channels, .weights = std::move(weights)});
  }
  return result;
}

FilterKernel::FilterKernel(const LocalOp& op, const Window& window, std::vector<WeightedPiece> blocks)
    : op_(op), window_(window), blocks_(std::move(blocks)), sums_(static_cast<std::size_t>(op.dst.extents[Axis::C])) {}

std::size_t FilterKernel::resident_bytes() const {
  std::size_t elems = sums_.size();
  for (const WeightedPiece& block : blocks_) elems += block.weights.size();
  return elems * sizeof(float);
}

void FilterKernel::execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* /*scratch*/) {
  const ReferenceCall call(op_, srcs, dst);
  const Source src = call.operand(0);
  Extents pixels = call.extents();
  pixels[Axis::C] = 1;
  for_each_index(pixels, [&](Index at) {
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    sum_pixel(src, at, sums_);
    for (const float sum : sums_) {
      call.store(at, sum);
      ++at[Axis::C];
    }
  });
}

}  // namespace parconv::reference
