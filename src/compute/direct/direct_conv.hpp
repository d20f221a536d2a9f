// SPDX-License-Identifier: Apache-2.0
// A prepared convolution of the cpu backend.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compute/direct/chunk.hpp"
#include "compute/direct/packed_filter.hpp"

namespace parconv::direct {

/// The part of the epilogue that the tile kernels apply.
struct TileEpilogue {
  std::span<const float> bias{};  ///< one per output channel of all groups, or none
  bool is_relu = false;
};

/// Computes every sum in the order of docs/arithmetic.md, whatever the instruction set and the number of threads. Not
/// thread-safe: one execution at a time.
class DirectConv {
 public:
  /// Precondition: threads >= 1; filter->layout() == layout_of(shape, filter->layout().set).
  DirectConv(const ConvShape& shape, std::shared_ptr<const PackedFilter> filter, const TileEpilogue& epilogue, int threads);

  /// Local, allocates nothing. The residual may be dst.
  void execute(const Addresses& addresses);

  /// Without the filter.
  std::size_t resident_bytes() const;

 private:
  /// The work of one thread: all chunks of [first, last) for blocks [first, last).
  struct Part {
    Interval chunks{};
    Interval blocks{};
  };

  Part part_of(int thread) const;
  void execute_part(const Part& part, const Addresses& addresses, Chunk& chunk) const;
  void compute_block(const Chunk& chunk, std::size_t block) const;

  ConvShape shape_;
  std::shared_ptr<const PackedFilter> filter_;
  const TileKernels& kernels_;
  Chunks chunks_;
  std::vector<std::vector<float>> bias_{};  ///< of each block, padded; empty: there is none
  bool is_relu_;
  std::vector<Chunk> workspaces_{};  ///< one per thread
};

}  // namespace parconv::direct
