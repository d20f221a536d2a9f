// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/direct_kernel.hpp"

#include <algorithm>

#include "compute/direct/conv_block.hpp"
#include "compute/main_index.hpp"
#include "parconv/core/error.hpp"

namespace parconv::direct {
namespace {

/// A convolution, or the phases of a transposed one.
class DirectKernel final : public Kernel {
 public:
  DirectKernel(const LocalOp& op, std::vector<ConvBlock> blocks, std::string implementation)
      : blocks_(std::move(blocks)),
        src_(main_index(op)),
        residual_(op.epilogue.residual),
        implementation_(std::move(implementation)) {}

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* /*scratch*/) override {
    const std::byte* const residual = residual_ < 0 ? nullptr : srcs[static_cast<std::size_t>(residual_)];
    for (ConvBlock& block : blocks_)
      block.conv.execute({.src = srcs[src_] + block.src_bytes,
                          .dst = dst + block.dst_bytes,
                          .residual = residual == nullptr ? nullptr : residual + block.residual_bytes});
  }

  std::size_t resident_bytes() const override {
    std::size_t bytes = 0;
    for (const ConvBlock& block : blocks_) bytes += block.conv.resident_bytes() + block.filter_bytes;
    return bytes;
  }

  std::string implementation() const override { return implementation_; }

 private:
  std::vector<ConvBlock> blocks_;
  std::size_t src_;
  int residual_;
  std::string implementation_;
};

}  // namespace

std::unique_ptr<Kernel> make_direct_kernel(const LocalOp& op, const FilterReader& read_filter, const DirectOptions& options,
                                           PackedFilters& cache) {
  PARCONV_EXPECT(op.srcs.size() > main_index(op) && volume(op.dst.extents) > 0, "a convolution without operands");
  const auto is_f32 = [](const OperandLayout& operand) { return operand.type == DType::F32; };
  const bool has_f32 = is_f32(op.dst) && std::all_of(op.srcs.begin(), op.srcs.end(), is_f32);
  const std::string set = "direct:" + name_of(options.set) + (has_f32 ? "" : " in f32");
  if (std::holds_alternative<LocalDeconv>(op.kind))
    return std::make_unique<DirectKernel>(op, deconv_blocks(op, read_filter, options), "phases of " + set);
  return std::make_unique<DirectKernel>(op, conv_blocks(op, read_filter, options, cache), set);
}

}  // namespace parconv::direct
