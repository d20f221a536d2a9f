// SPDX-License-Identifier: Apache-2.0
#include "compute/onednn/onednn_conv_kernel.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "compute/compute_type.hpp"
#include "compute/cpu/cpu_activation.hpp"
#include "compute/main_index.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv::onednn {
namespace {

/// A channel block with its weights: copies in, computes, copies out. Smooth activations are applied by parconv, by its own
/// formulas.
class ConvBlock {
 public:
  ConvBlock(const BlockPlan& plan, const WeightsProvider& weights, const LocalEpilogue& epilogue, std::span<const float> bias)
      : plan_(plan), call_(folded(plan.conv), weights, bias) {
    if (cpu::is_smooth(epilogue.activation.kind)) smooth_ = epilogue.activation;
  }

  void execute(const std::byte* src, const std::byte* residual, std::byte* dst, std::byte* scratch) {
    for (index_t k = 0; k < plan_.calls; ++k) {
      const auto call = static_cast<std::size_t>(k);
      const std::byte* dense_src = fetch(src + place(plan_.src.part, call), scratch);
      std::byte* const operand_dst = dst + place(plan_.dst.part, call);
      const View dense_dst = dst_view(operand_dst, scratch);
      if (plan_.residual) preload({residual + place(*plan_.residual, call), plan_.residual->layout}, dense_dst);
      call_.execute(dense_src, dense_dst.data, scratch + plan_.copies_bytes);
      if (smooth_) activate(dense_dst, *smooth_);
      if (plan_.dst.copy) convert(dense_dst, {operand_dst, plan_.dst.part.layout});
    }
  }

  std::size_t scratch_bytes() const { return plan_.copies_bytes + call_.scratchpad_bytes(); }
  std::size_t resident_bytes() const { return call_.resident_bytes(); }
  /// "brgconv:avx512_core_bf16", with the compute type if that is not the source type.
  std::string implementation() const {
    const bool is_converted = plan_.src.part.layout.type != plan_.conv.type;
    return is_converted ? concat(call_.implementation(), " in ", name_of(plan_.conv.type)) : call_.implementation();
  }

 private:
  static std::size_t place(const OperandPart& part, std::size_t call) { return part.offset_bytes + call * part.pitch_bytes; }

  /// The dense source of one call.
  const std::byte* fetch(const std::byte* operand, std::byte* scratch) const {
    if (!plan_.src.copy) return operand;
    const DenseCopy& buffer = *plan_.src.copy;
    std::byte* const begin = scratch + buffer.scratch_bytes;
    if (buffer.is_padded) std::memset(begin, 0, buffer.size_bytes);
    convert({operand, plan_.src.part.layout}, {begin + buffer.inner_bytes, buffer.inner});
    return begin;
  }

  View dst_view(std::byte* operand, std::byte* scratch) const {
    if (!plan_.dst.copy) return {operand, plan_.dst.part.layout};
    return {scratch + plan_.dst.copy->scratch_bytes, plan_.dst.copy->inner};
  }

  /// Copies the residual to dst, to which the convolution adds, unless they are the same memory.
  static void preload(ConstView residual, View dst) {
    if (residual.data != dst.data) convert(residual, dst);
  }

  static void activate(View dst, const Activation& activation) {
    cpu::activate_operand(reinterpret_cast<float*>(dst.data), dst.layout.extents, dst.layout.strides, activation);
  }

  BlockPlan plan_;
  DenseConvCall call_;
  std::optional<Activation> smooth_{};
};

/// oneDNN 2.6.3 adds a residual from another buffer (a binary post-op) only in its older kernels (0.7 of the speed, other
/// bits). So the residual is copied into dst and the convolution adds to it.
class ConvKernel final : public Kernel {
 public:
  ConvKernel(const LocalOp& op, std::vector<ConvBlock> blocks, int threads)
      : blocks_(std::move(blocks)), src_(main_index(op)), residual_(op.epilogue.residual), threads_(threads) {}

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    use_threads(threads_);
    const std::byte* const residual = residual_ < 0 ? nullptr : srcs[static_cast<std::size_t>(residual_)];
    for (ConvBlock& block : blocks_) block.execute(srcs[src_], residual, dst, scratch);
  }

  std::size_t scratch_bytes() const override {
    std::size_t most = 0;
    for (const ConvBlock& block : blocks_) most = std::max(most, block.scratch_bytes());
    return most;
  }

  std::size_t resident_bytes() const override {
    std::size_t sum = 0;
    for (const ConvBlock& block : blocks_) sum += block.resident_bytes();
    return sum;
  }

  std::string implementation() const override { return blocks_.front().implementation(); }

 private:
  std::vector<ConvBlock> blocks_;
  std::size_t src_;
  int residual_;
  int threads_;
};

index_t taps_of(const FilterBox& box) { return box.kernel[0].size() * box.kernel[1].size() * box.kernel[2].size(); }

/// Reads weights and rounds them to the source type, for any compute type.
std::vector<float> read_weights(const LocalOp& op, const ChannelBlock& block, const DenseConv& dense, const FilterReader& read) {
  std::vector<float> weights = read(std::get<LocalConv>(op.kind).filter, block.filter);
  PARCONV_EXPECT(std::ssize(weights) == block.filter.volume(), weights.size(), " elements for a box of ", block.filter.volume());
  round_weights(weights, op);
  if (!is_full_extent(dense)) return weights;
  return taps_before_channels(weights, block.filter.ic.size(), taps_of(block.filter));
}

std::span<const float> bias_of(const LocalOp& op, const ChannelBlock& block) {
  if (op.epilogue.bias.empty()) return {};
  return std::span(op.epilogue.bias).subspan(static_cast<std::size_t>(block.dst.lo), static_cast<std::size_t>(block.dst.size()));
}

bool is_best_as_it_is(const DenseConv& conv) {
  return !has_window_in_padding(conv) && quality_of(folded(conv)) == Quality::Direct;
}

/// True if oneDNN has only a slow implementation for all groups together.
bool is_better_ungrouped(const LocalOp& op, const LocalConv& conv, const ChannelBlock& block) {
  const bool is_depthwise = block.filter.ic.size() == 1 && block.dst.size() == block.groups;
  if (block.groups == 1 || is_depthwise) return false;
  const BlockPlan plan = plan_block(op, conv, block, {Padding::Explicit, compute_type(op)});
  return quality_of(folded(plan.conv)) != Quality::Direct;
}

/// The source of weights: the cache or the filter.
struct Weights {
  const FilterReader& read;
  WeightCache& cache;
};

/// The plan, with explicit padding unless oneDNN has a direct kernel without.
BlockPlan best_padding(const LocalOp& op, const ChannelBlock& block, BlockChoice choice) {
  const auto& conv = std::get<LocalConv>(op.kind);
  const BlockPlan plan = plan_block(op, conv, block, choice);
  if (choice.padding == Padding::Explicit || is_best_as_it_is(plan.conv)) return plan;
  return plan_block(op, conv, block, {Padding::Explicit, choice.type});
}

/// The plan in the source type, or in f32 if oneDNN is fast in f32 only.
BlockPlan best_plan(const LocalOp& op, const ChannelBlock& block, Padding padding) {
  const DType type = compute_type(op);
  const BlockPlan plan = best_padding(op, block, {padding, type});
  if (type == DType::F32 || quality_of(folded(plan.conv)) != Quality::None) return plan;
  return best_padding(op, block, {padding, DType::F32});
}

ConvBlock make_block(const LocalOp& op, const ChannelBlock& block, Weights weights, Padding padding) {
  const auto& conv = std::get<LocalConv>(op.kind);
  const BlockPlan plan = best_plan(op, block, padding);
  const auto provide = [&](const dnnl::memory::desc& dense, const dnnl::memory::desc& packed) {
    return weights.cache.get({conv.filter, block.filter, packed, compute_type(op)},
                             [&] { return packed_weights(read_weights(op, block, plan.conv, weights.read), dense, packed); });
  };
  return {plan, provide, op.epilogue, bias_of(op, block)};
}

std::vector<ChannelBlock> divided(const LocalOp& op) {
  const auto& conv = std::get<LocalConv>(op.kind);
  std::vector<ChannelBlock> result;
  for (const ChannelBlock& block : conv.blocks) {
    const auto parts = is_better_ungrouped(op, conv, block) ? ungrouped(block) : std::vector{block};
    result.insert(result.end(), parts.begin(), parts.end());
  }
  return result;
}

void expect_usable(const LocalOp& op) {
  PARCONV_EXPECT(op.srcs.size() > main_index(op), "a convolution without a source");
  PARCONV_EXPECT(op.epilogue.residual < static_cast<int>(op.srcs.size()), "residual ", op.epilogue.residual);
  PARCONV_EXPECT(!std::get<LocalConv>(op.kind).blocks.empty(), "a convolution without blocks of filters");
  PARCONV_EXPECT(volume(op.dst.extents) > 0, to_string(op.dst.extents));
}

}  // namespace

std::unique_ptr<Kernel> make_conv_kernel(const LocalOp& op, const FilterReader& read_filter, const ConvKernelOptions& options) {
  expect_usable(op);
  use_threads(options.threads);
  std::vector<ConvBlock> blocks;
  WeightCache own_cache;
  const Weights weights{.read = read_filter, .cache = options.cache == nullptr ? own_cache : *options.cache};
  for (const ChannelBlock& block : divided(op)) blocks.push_back(make_block(op, block, weights, options.padding));
  return std::make_unique<ConvKernel>(op, std::move(blocks), options.threads);
}

}  // namespace parconv::onednn
