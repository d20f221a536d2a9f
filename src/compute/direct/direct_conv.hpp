// SPDX-License-Identifier: Apache-2.0
// A prepared convolution of the cpu backend.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "compute/direct/chunk.hpp"
#include "compute/direct/packed_filter.hpp"
#include "parconv/model/operators.hpp"

namespace parconv::direct {

/// What follows the sums, beside the residual.
struct ConvEpilogue {
  std::span<const float> bias{};  ///< one per output channel of all groups, or none
  Activation activation{};
};

/// Computes every sum in the order of docs/arithmetic.md, whatever the instruction set and the number of threads. Not
/// thread-safe: one execution at a time.
class DirectConv {
 public:
  /// Precondition: threads >= 1; filter->layout() == layout_of(shape, filter->layout().set).
  DirectConv(const ConvShape& shape, std::shared_ptr<const PackedFilter> filter, const ConvEpilogue& epilogue, int threads);

  /// Local, allocates nothing. The residual may be dst.
  void execute(const Addresses& addresses);

  /// Without the filter.
  std::size_t resident_bytes() const;

 private:
  /// Memory of one thread.
  struct Workspace {
    Chunk chunk{};
    std::vector<float> sources{};  ///< of a chunk, if they are copied
    std::vector<float> results{};  ///< of a chunk and a block, if they are not finished in registers
    std::vector<std::byte*> result_addresses{};
  };

  Workspace make_workspace() const;
  /// Part k: chunk k / groups_of_blocks_, for one group of the blocks.
  index_t num_parts() const;
  index_t count_groups(int threads) const;
  void make_chunk(index_t chunk, const Addresses& addresses, Workspace& work) const;
  void compute_group(index_t group, Workspace& work) const;
  void compute_block(Workspace& work, std::size_t block) const;
  void finish_results(Workspace& work, const FilterBlock& block) const;
  TileCall call_of(const Chunk& chunk, std::size_t block) const;
  void compute_segment(index_t pixels, const FilterBlock& block, TileCall& call) const;
  void pass_prefetched_weights(const FilterBlock& block, TileCall& call) const;
  const ElementKernels& elements(DType type) const { return kernels_.elements[static_cast<int>(element_type(type))]; }

  ConvShape shape_;
  std::shared_ptr<const PackedFilter> filter_;
  const TileKernels& kernels_;
  Chunks chunks_;
  std::vector<std::vector<float>> bias_{};  ///< of each block, padded; empty: there is none
  Activation activation_;
  index_t groups_of_blocks_;
  std::optional<TileActivation> tile_activation_;  ///< none: results are finished in memory
  index_t results_pitch_ = 0;
  std::vector<Workspace> workspaces_{};  ///< one per thread
};

}  // namespace parconv::direct
