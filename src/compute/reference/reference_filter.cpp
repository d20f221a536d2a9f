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

index_t taps_of(const FilterBox& filter) { return filter.kernel[0].size() * filter.kernel[1].size() * filter.kernel[2].size(); }
index_t group_oc(const ChannelBlock& block) { return block.dst.size() / block.groups; }

/// Weights in the order oc (of all groups), ic, kd, kh, kw in the order group, kd, kh, kw, ic, oc, so that the fastest loop runs
/// over independent sums.
std::vector<float> outputs_last(const std::vector<float>& weights, const ChannelBlock& block) {
  const index_t taps = taps_of(block.filter), ic = block.filter.ic.size(), oc = group_oc(block);
  std::vector<float> result(weights.size());
  auto out = result.begin();
  for (index_t g = 0; g < block.groups; ++g)
    for (index_t tap = 0; tap < taps; ++tap)
      for (index_t i = 0; i < ic; ++i)
        for (index_t o = 0; o < oc; ++o) *out++ = weights[static_cast<std::size_t>(((g * oc + o) * ic + i) * taps + tap)];
  return result;
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

void FilterKernel::add_block(const ChannelBlock& block, const SumLeaves& leaves, std::vector<float> weights) {
  PARCONV_EXPECT(std::ssize(weights) == block.filter.volume(), "read ", weights.size(), " weights");
  round_weights(weights, op_);
  blocks_.push_back(
      {.channels = block, .weights = outputs_last(weights, block), .sum = TreeSum(leaves, block.filter.ic, block.dst.size())});
  const auto taps = static_cast<std::size_t>(taps_of(block.filter));
  taps_.reserve(taps);
  for (std::size_t k = 0; k < sources_.size(); ++k) sources_[k].reserve(static_cast<std::size_t>(window_.axes[k].kernel));
  values_.reserve(taps * static_cast<std::size_t>(op_.srcs[op_.epilogue.residual == 0 ? 1 : 0].extents[Axis::C]));
  sums_.resize(static_cast<std::size_t>(op_.dst.extents[Axis::C]));
}

std::size_t FilterKernel::resident_bytes() const {
  std::size_t bytes = taps_.capacity() * sizeof(index_t) + (values_.capacity() + sums_.size()) * sizeof(float);
  for (const std::vector<TapSource>& along : sources_) bytes += along.capacity() * sizeof(TapSource);
  for (const WeightedBlock& block : blocks_) bytes += block.weights.size() * sizeof(float) + block.sum.resident_bytes();
  return bytes;
}

void FilterKernel::execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* /*scratch*/) {
  const ReferenceCall call(op_, srcs, dst);
  const Source src = call.operand(0);
  Extents pixels = call.extents();
  pixels[Axis::C] = 1;
  for_each_index(pixels, [&](Index at) {
    find_taps(src, at);
    for (WeightedBlock& block : blocks_) sum_block(block);
    for (const float sum : sums_) {
      call.store(at, sum);
      ++at[Axis::C];
    }
  });
}

/// Sets `taps_` and `values_`, in the order kd, kh, kw.
void FilterKernel::find_taps(const Source& src, const Index& pixel) {
  for (Axis axis : spatial_axes) find_sources(src, pixel, axis);
  taps_.clear();
  values_.clear();
  const index_t sample = pixel[Axis::N] * src.layout->strides[Axis::N];
  const index_t kernel_h = window_[Axis::H].kernel, kernel_w = window_[Axis::W].kernel;
  for (const TapSource& d : sources_[0])
    for (const TapSource& h : sources_[1])
      for (const TapSource& w : sources_[2])
        read_tap(src, (d.tap * kernel_h + h.tap) * kernel_w + w.tap, sample + d.offset + h.offset + w.offset);
}

void FilterKernel::find_sources(const Source& src, const Index& pixel, Axis axis) {
  std::vector<TapSource>& sources = sources_[static_cast<std::size_t>(axis) - 2];
  sources.clear();
  for (index_t tap = 0; tap < window_[axis].kernel; ++tap) {
    const std::optional<index_t> place = source_of(window_[axis], pixel[axis], tap);
    if (place && *place >= 0 && *place < src.extents()[axis]) sources.push_back({tap, *place * src.layout->strides[axis]});
  }
}

void FilterKernel::read_tap(const Source& src, index_t tap, index_t source_pixel) {
  const index_t stride = src.layout->strides[Axis::C], channels = src.extents()[Axis::C];
  taps_.push_back(tap);
  values_.resize(values_.size() + static_cast<std::size_t>(channels));
  float* const values = values_.data() + values_.size() - channels;
  for (index_t c = 0; c < channels; ++c) values[c] = src.at_offset(source_pixel + c * stride);
}

void FilterKernel::sum_block(WeightedBlock& block) {
  const ChannelBlock& channels = block.channels;
  const index_t in_channels = taps_.empty() ? 0 : std::ssize(values_) / std::ssize(taps_);
  const Products products{.groups = channels.groups,
                          .ic = channels.filter.ic.size(),
                          .oc = group_oc(channels),
                          .filter_taps = taps_of(channels.filter),
                          .taps = taps_,
                          .values = values_.data() + channels.src.lo,
                          .values_per_tap = in_channels,
                          .weights = block.weights.data()};
  block.sum.compute(products, std::span(sums_).subspan(static_cast<std::size_t>(channels.dst.lo),
                                                       static_cast<std::size_t>(channels.dst.size())));
}

}  // namespace parconv::reference
