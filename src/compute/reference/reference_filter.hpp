// SPDX-License-Identifier: Apache-2.0
// Common parts of the convolution and the transposed convolution in plain loops: weights, checks, pixel loop.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "compute/reference/reference_call.hpp"
#include "compute/reference/reference_products.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv::reference {

/// A channel block and its weights in the order group, kd, kh, kw, ic, oc.
struct WeightedBlock {
  ChannelBlock channels{};
  std::vector<float> weights{};
  TreeSum sum;
};

/// A convolution or a transposed convolution, pixel by pixel, all channels at once. A derived class defines the sources of taps.
class FilterKernel : public Kernel {
 public:
  template <KindWithFilter Kind>
  FilterKernel(const Kind& kind, const LocalOp& op, const FilterReader& read_filter) : op_(op), window_(kind.window) {
    for (const ChannelBlock& block : kind.blocks) add_block(block, kind.leaves, read_filter(kind.filter, block.filter));
  }

  std::string implementation() const override { return "reference"; }
  std::size_t resident_bytes() const override;
  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) final;

 protected:
  /// The source index that output `out` reads through `tap` along one axis. It may lie outside [0, in_size) of the tensor;
  /// nullopt if there is none at all.
  virtual std::optional<index_t> source_of(const WindowAxis& window, index_t out, index_t tap) const = 0;

 private:
  /// A tap along d, h or w, and the offset of its source in elements.
  struct TapSource {
    index_t tap = 0;
    index_t offset = 0;
  };

  void add_block(const ChannelBlock& block, const SumLeaves& leaves, std::vector<float> weights);
  void find_taps(const Source& src, const Index& pixel);
  void find_sources(const Source& src, const Index& pixel, Axis axis);
  void read_tap(const Source& src, index_t tap, index_t source_pixel);
  void sum_block(WeightedBlock& block);

  LocalOp op_;
  Window window_;
  std::vector<WeightedBlock> blocks_{};
  /// Of the pixel being computed: sources inside the tensor along each axis, taps, their source channels, and the sums.
  std::array<std::vector<TapSource>, 3> sources_{};
  std::vector<index_t> taps_{};
  std::vector<float> values_{};
  std::vector<float> sums_{};
};

/// Checks that the channel blocks fit the source and cover dst's channels exactly once.
void check_blocks(std::span<const ChannelBlock> blocks, const Window& window, const CallExtents& call);

template <KindWithFilter Kind>
void check(const Kind& kind, const CallExtents& call) {
  check_blocks(kind.blocks, kind.window, call);
  for (const ChannelBlock& block : kind.blocks) check_leaves(kind.leaves, block.filter.ic);
}

std::unique_ptr<Kernel> make_kernel(const LocalConv& conv, const LocalOp& op, const FilterReader& read_filter);
std::unique_ptr<Kernel> make_kernel(const LocalDeconv& deconv, const LocalOp& op, const FilterReader& read_filter);

}  // namespace parconv::reference
