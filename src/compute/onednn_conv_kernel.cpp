#include "compute/onednn_conv_kernel.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "compute/cpu_activation.hpp"
#include "parconv/core/error.hpp"

namespace parconv::onednn {
namespace {

/// A piece with its weights: copies in, computes, copies out.
class ConvPiece {
 public:
  ConvPiece(const PiecePlan& plan, const WeightsProvider& weights, std::span<const float> bias)
      : plan_(plan), call_(folded(plan.conv), weights, bias) {}

  void execute(const std::byte* src, const std::byte* residual, std::byte* dst, std::byte* scratch) {
    for (index_t k = 0; k < plan_.calls; ++k) {
      const auto call = static_cast<std::size_t>(k);
      const std::byte* dense_src = fetch(src + place(plan_.src.part, call), scratch);
      std::byte* const operand_dst = dst + place(plan_.dst.part, call);
      const View dense_dst = dst_view(operand_dst, scratch);
      if (plan_.residual) preload({residual + place(*plan_.residual, call), plan_.residual->layout}, dense_dst);
      call_.execute(dense_src, dense_dst.data, scratch + plan_.copies_bytes);
      if (plan_.dst.copy) copy(dense_dst, {operand_dst, plan_.dst.part.layout});
    }
  }

  std::size_t scratch_bytes() const { return plan_.copies_bytes + call_.scratchpad_bytes(); }
  std::size_t resident_bytes() const { return call_.resident_bytes(); }
  const std::string& implementation() const { return call_.implementation(); }

 private:
  static std::size_t place(const OperandPart& part, std::size_t call) { return part.offset_bytes + call * part.pitch_bytes; }

  /// The dense source of one call.
  const std::byte* fetch(const std::byte* operand, std::byte* scratch) const {
    if (!plan_.src.copy) return operand;
    const DenseCopy& buffer = *plan_.src.copy;
    std::byte* const begin = scratch + buffer.scratch_bytes;
    if (buffer.is_padded) std::memset(begin, 0, buffer.size_bytes);
    copy({operand, plan_.src.part.layout}, {begin + buffer.inner_bytes, buffer.inner});
    return begin;
  }

  View dst_view(std::byte* operand, std::byte* scratch) const {
    if (!plan_.dst.copy) return {operand, plan_.dst.part.layout};
    return {scratch + plan_.dst.copy->scratch_bytes, plan_.dst.copy->inner};
  }

  /// Puts the residual where the convolution adds to it; it may be there already.
  static void preload(ConstView residual, View dst) {
    if (residual.data != dst.data) copy(residual, dst);
  }

  PiecePlan plan_;
  DenseConvCall call_;
};

/// oneDNN 2.6.3 adds a residual from another buffer (a binary post-op) only in its older, slower kernels (0.7 of the speed, other
/// bits). So the residual is copied into dst and the convolution adds to it.
class ConvKernel final : public Kernel {
 public:
  ConvKernel(const LocalOp& op, std::vector<ConvPiece> pieces, int threads)
      : pieces_(std::move(pieces)), src_(main_operand(op)), residual_(op.finish.residual), threads_(threads) {
    if (!cpu::is_smooth(op.finish.activation.kind)) return;
    smooth_ = op.finish.activation;
    dst_ = op.dst;
  }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    use_threads(threads_);
    const std::byte* const residual = residual_ < 0 ? nullptr : srcs[static_cast<std::size_t>(residual_)];
    for (ConvPiece& piece : pieces_) piece.execute(srcs[src_], residual, dst, scratch);
    if (smooth_) cpu::activate_operand(reinterpret_cast<float*>(dst), dst_.extents, dst_.strides, *smooth_);
  }

  std::size_t scratch_bytes() const override {
    std::size_t most = 0;
    for (const ConvPiece& piece : pieces_) most = std::max(most, piece.scratch_bytes());
    return most;
  }

  std::size_t resident_bytes() const override {
    std::size_t sum = 0;
    for (const ConvPiece& piece : pieces_) sum += piece.resident_bytes();
    return sum;
  }

  std::string implementation() const override { return pieces_.front().implementation(); }

 private:
  std::vector<ConvPiece> pieces_;
  std::size_t src_;
  int residual_;
  int threads_;
  /// An activation made of exponentials is applied afterwards, by parconv itself: oneDNN's bits depend on the shape.
  std::optional<Activation> smooth_{};
  OperandLayout dst_{};
};

index_t taps_of(const FilterBox& box) { return box.kernel[0].size() * box.kernel[1].size() * box.kernel[2].size(); }

std::vector<float> read_weights(const LocalConv& conv, const ChannelPiece& piece, const DenseConv& dense,
                                const FilterReader& read) {
  std::vector<float> weights = read(conv.filter, piece.filter);
  PARCONV_EXPECT(std::ssize(weights) == piece.filter.volume(), weights.size(), " elements for a box of ", piece.filter.volume());
  if (!is_full_extent(dense)) return weights;
  return taps_before_channels(weights, piece.filter.ic.size(), taps_of(piece.filter));
}

std::span<const float> bias_of(const LocalOp& op, const ChannelPiece& piece) {
  if (op.finish.bias.empty()) return {};
  return std::span(op.finish.bias).subspan(static_cast<std::size_t>(piece.dst.lo), static_cast<std::size_t>(piece.dst.size()));
}

bool is_best_as_it_is(const DenseConv& conv) {
  if (has_window_in_padding(conv) || has_unsteady_padding(conv)) return false;
  return quality_of(folded(conv)) == Quality::Direct;
}

/// One group at a time where oneDNN has nothing good for all of them: the same as a rank does that has a part of the filters.
bool is_better_ungrouped(const LocalOp& op, const LocalConv& conv, const ChannelPiece& piece) {
  const bool is_depthwise = piece.filter.ic.size() == 1;
  if (piece.groups == 1 || is_depthwise) return false;
  const PiecePlan plan = plan_piece(op, conv, piece, Padding::Explicit);
  return has_full_window(plan.conv) || quality_of(folded(plan.conv)) != Quality::Direct;
}

/// Where weights come from: other kernels that hold them, or the filter.
struct Weights {
  const FilterReader& read;
  WeightCache& cache;
};

ConvPiece make_piece(const LocalOp& op, const ChannelPiece& piece, Weights weights, Padding padding) {
  const auto& conv = std::get<LocalConv>(op.kind);
  PiecePlan plan = plan_piece(op, conv, piece, padding);
  if (padding == Padding::Implicit && !is_best_as_it_is(plan.conv)) plan = plan_piece(op, conv, piece, Padding::Explicit);
  const auto provide = [&](const dnnl::memory::desc& dense, const dnnl::memory::desc& packed) {
    return weights.cache.get({conv.filter, piece.filter, packed},
                             [&] { return packed_weights(read_weights(conv, piece, plan.conv, weights.read), dense, packed); });
  };
  return {plan, provide, bias_of(op, piece)};
}

std::vector<ChannelPiece> divided(const LocalOp& op) {
  const auto& conv = std::get<LocalConv>(op.kind);
  std::vector<ChannelPiece> result;
  for (const ChannelPiece& piece : conv.pieces) {
    const auto parts = is_better_ungrouped(op, conv, piece) ? ungrouped(piece) : std::vector{piece};
    result.insert(result.end(), parts.begin(), parts.end());
  }
  return result;
}

void expect_usable(const LocalOp& op) {
  PARCONV_EXPECT(op.srcs.size() > main_operand(op), "a convolution without a source");
  PARCONV_EXPECT(op.finish.residual < static_cast<int>(op.srcs.size()), "residual ", op.finish.residual);
  PARCONV_EXPECT(!std::get<LocalConv>(op.kind).pieces.empty(), "a convolution without pieces");
  PARCONV_EXPECT(volume(op.dst.extents) > 0, to_string(op.dst.extents));
}

}  // namespace

std::unique_ptr<Kernel> make_conv_kernel(const LocalOp& op, const FilterReader& read_filter, const ConvKernelOptions& options) {
  expect_usable(op);
  use_threads(options.threads);
  std::vector<ConvPiece> pieces;
  WeightCache own_cache;
  const Weights weights{.read = read_filter, .cache = options.cache == nullptr ? own_cache : *options.cache};
  for (const ChannelPiece& piece : divided(op)) pieces.push_back(make_piece(op, piece, weights, options.padding));
  return std::make_unique<ConvKernel>(op, std::move(pieces), options.threads);
}

}  // namespace parconv::onednn
