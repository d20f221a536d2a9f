// SPDX-License-Identifier: Apache-2.0
// The transposed convolution in gather form: each output sums its contributing inputs in a fixed order.
#include <array>
#include <optional>

#include "compute/reference/reference_filter.hpp"

namespace parconv::reference {
namespace {

/// The source index that contributes to local output `out` through `tap`, if any.
std::optional<index_t> source_of(const WindowAxis& window, index_t out, index_t tap, index_t in_size) {
  const index_t place = out + window.pad_lo - tap * window.dilation;
  if (place < 0 || place % window.stride != 0 || place / window.stride >= in_size) return std::nullopt;
  return place / window.stride;
}

class ReferenceDeconv final : public FilterKernel {
 public:
  ReferenceDeconv(const LocalDeconv& deconv, const LocalOp& op, const FilterReader& read_filter)
      : FilterKernel(op, deconv.window, read_blocks(op, deconv.blocks, deconv.filter, read_filter)) {}

 private:
  /// Each sum runs over kd, kh, kw, ic in this order.
  void sum_pixel(const Source& src, const Index& pixel, std::span<float> sums) const override {
    index_t tap_index = 0;
    for (index_t kd = 0; kd < window()[Axis::D].kernel; ++kd)
      for (index_t kh = 0; kh < window()[Axis::H].kernel; ++kh)
        for (index_t kw = 0; kw < window()[Axis::W].kernel; ++kw, ++tap_index)
          if (const std::optional<Index> at = source_pixel(src, pixel, {kd, kh, kw}))
            for (const WeightedPiece& block : blocks()) add_block(block, src, {*at, tap_index}, sums);
  }

  std::optional<Index> source_pixel(const Source& src, const Index& pixel, const std::array<index_t, 3>& tap) const {
    Index at{{pixel[Axis::N], 0, 0, 0, 0}};
    for (Axis axis : spatial_axes) {
      const auto place = source_of(window()[axis], pixel[axis], tap[static_cast<std::size_t>(axis) - 2], src.extents()[axis]);
      if (!place) return std::nullopt;
      at[axis] = *place;
    }
    return at;
  }

  struct Tap {
    Index at{};         ///< source pixel under the tap
    index_t index = 0;  ///< in the filter
  };

  static void add_block(const WeightedPiece& block, const Source& src, Tap tap, std::span<float> sums) {
    const FilterBox& box = block.channels.filter;
    const index_t taps = taps_of(box), ic = box.ic.size();
    const index_t oc = block.channels.dst.size(), group_oc = oc / block.channels.groups;
    for (index_t o = 0; o < oc; ++o) {
      float& sum = sums[static_cast<std::size_t>(block.channels.dst.lo + o)];
      for (index_t i = 0; i < ic; ++i) {
        tap.at[Axis::C] = block.channels.src.lo + o / group_oc * ic + i;
        sum += src.at(tap.at) * block.weights[static_cast<std::size_t>((o * ic + i) * taps + tap.index)];
      }
    }
  }
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const LocalDeconv& deconv, const LocalOp& op, const FilterReader& read_filter) {
  return std::make_unique<ReferenceDeconv>(deconv, op, read_filter);
}

}  // namespace parconv::reference
