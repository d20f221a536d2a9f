// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/direct_kernel.hpp"

#include <algorithm>

#include "compute/compute_type.hpp"
#include "compute/conv/deconv_kernel.hpp"
#include "compute/cpu/cpu_activation.hpp"
#include "compute/cpu/cpu_row_kernel.hpp"
#include "compute/cpu/cpu_threads.hpp"
#include "compute/direct/direct_conv.hpp"
#include "compute/main_index.hpp"
#include "compute/scratch_bytes.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv::direct {
namespace {

std::size_t f32_bytes(const OperandLayout& operand) {
  return aligned(static_cast<std::size_t>(volume(operand.extents)) * sizeof(float));
}

/// One channel block with its positions in the operands.
struct Block {
  DirectConv conv;
  index_t src_channel = 0;
  index_t dst_channel = 0;
  std::size_t filter_bytes = 0;  ///< 0 if an earlier kernel made the filter
};

ConvShape shape_of(const LocalOp& op, const ChannelBlock& block, TapOrder order) {
  const auto& conv = std::get<LocalConv>(op.kind);
  const OperandLayout& src = op.srcs[main_index(op)];
  ConvShape shape{.groups = block.groups,
                  .ic = block.filter.ic.size(),
                  .oc = block.dst.size() / block.groups,
                  .in = src.extents,
                  .out = op.dst.extents,
                  .src_strides = src.strides,
                  .dst_strides = op.dst.strides,
                  .window = conv.window,
                  .order = order,
                  .leaves = conv.leaves,
                  .channels = block.filter.ic};
  if (op.epilogue.residual >= 0) shape.residual_strides = op.srcs[static_cast<std::size_t>(op.epilogue.residual)].strides;
  return shape;
}

std::vector<float> read_weights(const LocalOp& op, const ChannelBlock& block, const FilterReader& read, DType type) {
  std::vector<float> weights = read(std::get<LocalConv>(op.kind).filter, block.filter);
  PARCONV_EXPECT(std::ssize(weights) == block.filter.volume(), weights.size(), " elements for a box of ", block.filter.volume());
  round_weights(weights, type);
  return weights;
}

std::span<const float> bias_of(const LocalOp& op, const ChannelBlock& block) {
  if (op.epilogue.bias.empty()) return {};
  return std::span(op.epilogue.bias).subspan(static_cast<std::size_t>(block.dst.lo), static_cast<std::size_t>(block.dst.size()));
}

/// The blocks of a convolution of f32 operands. `type` is the type to which weights are rounded.
std::vector<Block> blocks_of(const LocalOp& op, DType type, const FilterReader& read, const DirectOptions& options,
                             PackedFilters& cache) {
  const auto& conv = std::get<LocalConv>(op.kind);
  std::vector<Block> blocks;
  for (const ChannelBlock& block : conv.blocks) {
    const ConvShape shape = shape_of(op, block, options.order);
    const FilterLayout layout = layout_of(shape, options.set);
    const auto filter = cache.get(
        conv.filter, block.filter, type, [&](const PackedFilter& packed) { return packed.layout() == layout; },
        [&] { return PackedFilter(layout, read_weights(op, block, read, type)); });
    const TileEpilogue epilogue{.bias = bias_of(op, block), .is_relu = op.epilogue.activation.kind == ActivationKind::Relu};
    blocks.push_back({.conv = DirectConv(shape, filter.memory, epilogue, options.threads),
                      .src_channel = block.src.lo,
                      .dst_channel = block.dst.lo,
                      .filter_bytes = filter.is_new ? filter.memory->size_bytes() : 0});
  }
  return blocks;
}

std::string implementation_of(const DirectOptions& options) { return "direct:" + name_of(options.set); }

/// A convolution of f32 operands.
class F32Conv final : public Kernel {
 public:
  F32Conv(const LocalOp& op, std::vector<Block> blocks, std::string implementation, int threads)
      : blocks_(std::move(blocks)),
        threads_(threads),
        src_(main_index(op)),
        residual_(op.epilogue.residual),
        dst_(op.dst),
        implementation_(std::move(implementation)) {
    const ActivationKind kind = op.epilogue.activation.kind;
    if (kind != ActivationKind::Relu && kind != ActivationKind::None) activation_ = op.epilogue.activation;
  }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* /*scratch*/) override {
    auto* const result = reinterpret_cast<float*>(dst);
    const auto* const residual =
        residual_ < 0 ? nullptr : reinterpret_cast<const float*>(srcs[static_cast<std::size_t>(residual_)]);
    for (Block& block : blocks_) {
      const auto src_bytes = static_cast<std::size_t>(block.src_channel) * sizeof(float);
      block.conv.execute({.src = srcs[src_] + src_bytes,
                          .dst = result + block.dst_channel,
                          .residual = residual == nullptr ? nullptr : residual + block.dst_channel});
    }
    if (activation_.kind != ActivationKind::None)
      cpu::activate_operand(result, dst_.extents, dst_.strides, activation_, threads_);
  }

  std::size_t resident_bytes() const override {
    std::size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.conv.resident_bytes() + block.filter_bytes;
    return bytes;
  }

  std::string implementation() const override { return implementation_; }

 private:
  std::vector<Block> blocks_;
  int threads_;
  std::size_t src_;
  int residual_;
  OperandLayout dst_;
  Activation activation_{};  ///< that the tile kernels do not apply
  std::string implementation_;
};

/// A convolution with operands of other types: sums of the source as f32 go to scratch memory, and rows of them through the
/// epilogue to dst, with one rounding.
class ConvertedConv final : public cpu::RowKernel {
 public:
  ConvertedConv(const LocalOp& op, std::shared_ptr<Kernel> sums, const LocalOp& inner)
      : RowKernel(op), sums_(std::move(sums)), src_(inner.srcs.front()), dst_(inner.dst) {}

  std::size_t scratch_bytes() const override { return f32_bytes(src_) + f32_bytes(dst_); }
  std::size_t resident_bytes() const override { return RowKernel::resident_bytes() + sums_->resident_bytes(); }
  std::string implementation() const override { return sums_->implementation() + " in f32"; }

 private:
  void use(std::byte* scratch) override { results_ = scratch + f32_bytes(src_); }

  void begin(Sources srcs, std::byte* scratch) override {
    use(scratch);
    convert({srcs[main_index(op())], op().srcs[main_index(op())]}, {scratch, src_});
    const std::byte* const src = scratch;
    sums_->execute({&src, 1}, results_, nullptr);
  }

  void make_row(Sources, const cpu::RowIndex& row, cpu::Row dst) override {
    cpu::copy_row(dst, cpu::Operand(results_, dst_).row(row), shape());
  }

  std::shared_ptr<Kernel> sums_;
  OperandLayout src_;
  OperandLayout dst_;
  std::byte* results_ = nullptr;
};

bool is_f32(const LocalOp& op) {
  return op.dst.type == DType::F32 &&
         std::all_of(op.srcs.begin(), op.srcs.end(), [](const OperandLayout& src) { return src.type == DType::F32; });
}

OperandLayout dense_f32(const OperandLayout& operand) {
  const Box box = Box::whole(operand.extents);
  return layout_within(box, box);
}

std::unique_ptr<Kernel> make_conv(const LocalOp& op, const FilterReader& read, const DirectOptions& options,
                                  PackedFilters& cache) {
  const DType type = compute_type(op);
  if (is_f32(op))
    return std::make_unique<F32Conv>(op, blocks_of(op, type, read, options, cache), implementation_of(options), options.threads);
  LocalOp inner;  // without the epilogue
  inner.kind = op.kind;
  inner.srcs.push_back(dense_f32(op.srcs[main_index(op)]));
  inner.dst = dense_f32(op.dst);
  const auto sums =
      std::make_shared<F32Conv>(inner, blocks_of(inner, type, read, options, cache), implementation_of(options), options.threads);
  return cpu::shared_by_threads([&] { return std::make_unique<ConvertedConv>(op, sums, inner); }, op, {.count = options.threads});
}

}  // namespace

std::unique_ptr<Kernel> make_direct_kernel(const LocalOp& op, const FilterReader& read_filter, const DirectOptions& options,
                                           PackedFilters& cache) {
  PARCONV_EXPECT(op.srcs.size() > main_index(op) && volume(op.dst.extents) > 0, "a convolution without operands");
  if (!std::holds_alternative<LocalDeconv>(op.kind)) return make_conv(op, read_filter, options, cache);
  return make_deconv_kernel(op, read_filter, [&](const LocalOp& phase, const FilterReader& read) {
    DirectOptions flipped = options;
    flipped.order = TapOrder::Descending;
    return make_conv(phase, read, flipped, cache);
  });
}

}  // namespace parconv::direct
