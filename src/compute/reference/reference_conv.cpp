// SPDX-License-Identifier: Apache-2.0
// The convolution in plain loops.
#include <array>

#include "compute/reference/reference_filter.hpp"

namespace parconv::reference {
namespace {

index_t group_ic(const WeightedPiece& block) { return block.channels.filter.ic.size(); }
index_t group_oc(const WeightedPiece& block) { return block.channels.dst.size() / block.channels.groups; }

/// The weights in the order group, kd, kh, kw, ic, oc, so that the fastest loop runs over independent sums.
WeightedPiece with_channels_last(WeightedPiece block) {
  const index_t taps = taps_of(block.channels.filter), ic = group_ic(block), oc = group_oc(block);
  std::vector<float> weights(block.weights.size());
  auto out = weights.begin();
  for (index_t g = 0; g < block.channels.groups; ++g)
    for (index_t tap = 0; tap < taps; ++tap)
      for (index_t i = 0; i < ic; ++i)
        for (index_t o = 0; o < oc; ++o) *out++ = block.weights[static_cast<std::size_t>(((g * oc + o) * ic + i) * taps + tap)];
  block.weights = std::move(weights);
  return block;
}

std::vector<WeightedPiece> with_channels_last(std::vector<WeightedPiece> blocks) {
  for (WeightedPiece& block : blocks) block = with_channels_last(std::move(block));
  return blocks;
}

class ReferenceConv final : public FilterKernel {
 public:
  ReferenceConv(const LocalConv& conv, const LocalOp& op, const FilterReader& read_filter)
      : FilterKernel(op, conv.window, with_channels_last(read_blocks(op, conv.blocks, conv.filter, read_filter))) {}

 private:
  /// Each sum runs over kd, kh, kw, ic in this order.
  void sum_pixel(const Source& src, const Index& pixel, std::span<float> sums) const override {
    std::array<Interval, 3> taps;
    for (Axis axis : spatial_axes)
      taps[static_cast<std::size_t>(axis) - 2] = taps_inside(window()[axis], pixel[axis], src.extents()[axis]);
    for (index_t kd = taps[0].lo; kd < taps[0].hi; ++kd)
      for (index_t kh = taps[1].lo; kh < taps[1].hi; ++kh)
        for (index_t kw = taps[2].lo; kw < taps[2].hi; ++kw) add_tap(src, pixel, {kd, kh, kw}, sums);
  }

  void add_tap(const Source& src, const Index& pixel, const std::array<index_t, 3>& tap, std::span<float> sums) const {
    Index at{{pixel[Axis::N], 0, 0, 0, 0}};
    for (Axis axis : spatial_axes) {
      const WindowAxis& along = window()[axis];
      at[axis] = pixel[axis] * along.stride - along.pad_lo + tap[static_cast<std::size_t>(axis) - 2] * along.dilation;
    }
    const index_t pixel_offset = offset_of(src.layout->strides, at);
    const index_t tap_index = (tap[0] * window().axes[1].kernel + tap[1]) * window().axes[2].kernel + tap[2];
    for (const WeightedPiece& block : blocks()) add_block(block, src, {pixel_offset, tap_index}, sums);
  }

  struct Tap {
    index_t pixel_offset = 0;  ///< offset of the source pixel under the tap
    index_t index = 0;         ///< in the filter
  };

  static void add_block(const WeightedPiece& block, const Source& src, const Tap& tap, std::span<float> sums) {
    const index_t channel_stride = src.layout->strides[Axis::C];
    const index_t taps = taps_of(block.channels.filter), ic = group_ic(block), oc = group_oc(block);
    for (index_t g = 0; g < block.channels.groups; ++g) {
      const float* const weights = block.weights.data() + (g * taps + tap.index) * ic * oc;
      float* const group_sums = sums.data() + block.channels.dst.lo + g * oc;
      for (index_t i = 0; i < ic; ++i) {
        const float x = src.at_offset(tap.pixel_offset + (block.channels.src.lo + g * ic + i) * channel_stride);
        for (index_t o = 0; o < oc; ++o) group_sums[o] += x * weights[i * oc + o];
      }
    }
  }
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalConv& conv, const LocalOp& op, const FilterReader& read_filter) {
  return std::make_unique<ReferenceConv>(conv, op, read_filter);
}

}  // namespace parconv::reference
