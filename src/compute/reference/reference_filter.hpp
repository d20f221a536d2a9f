// SPDX-License-Identifier: Apache-2.0
// Common parts of the convolution and the transposed convolution in plain loops: weights, checks, pixel loop.
#pragma once

#include <memory>
#include <vector>

#include "compute/reference/reference_call.hpp"
#include "parconv/compute/backend.hpp"

namespace parconv::reference {

/// A channel block and its weights, read in the order oc (of all groups), ic, kd, kh, kw.
struct WeightedPiece {
  ChannelBlock channels{};
  std::vector<float> weights{};
};

inline index_t taps_of(const FilterBox& filter) {
  return filter.kernel[0].size() * filter.kernel[1].size() * filter.kernel[2].size();
}

/// The channel blocks with their weights, rounded to the compute type of `op`.
std::vector<WeightedPiece> read_blocks(const LocalOp& op, std::span<const ChannelBlock> blocks, const Filter& filter,
                                       const FilterReader& read_filter);

/// Computes the output pixel by pixel, all channels at once; a derived class defines the sums.
class FilterKernel : public Kernel {
 public:
  FilterKernel(const LocalOp& op, const Window& window, std::vector<WeightedPiece> blocks);

  std::string implementation() const override { return "reference"; }
  std::size_t resident_bytes() const override;
  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) final;

 protected:
  /// Adds to `sums`, one per channel, initially 0.
  virtual void sum_pixel(const Source& src, const Index& pixel, std::span<float> sums) const = 0;

  const Window& window() const { return window_; }
  std::span<const WeightedPiece> blocks() const { return blocks_; }

 private:
  LocalOp op_;
  Window window_;
  std::vector<WeightedPiece> blocks_;
  std::vector<float> sums_;
};

/// Checks that the channel blocks fit the source and cover dst's channels exactly once.
void check_blocks(std::span<const ChannelBlock> blocks, const Window& window, const CallExtents& call);

template <KindWithFilter Kind>
void check(const Kind& kind, const CallExtents& call) {
  check_blocks(kind.blocks, kind.window, call);
}

std::unique_ptr<Kernel> make_kernel(const LocalConv& conv, const LocalOp& op, const FilterReader& read_filter);
std::unique_ptr<Kernel> make_kernel(const LocalDeconv& deconv, const LocalOp& op, const FilterReader& read_filter);

}  // namespace parconv::reference
