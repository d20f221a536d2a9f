// Whether what the ranks need fits into the memory of their GPUs. Pure: told before anything is allocated.
#pragma once

#include <span>
#include <string>

#include "parconv/device/device.hpp"
#include "placement.hpp"

namespace parconv::app {

/// What one rank will hold on its GPU at least, in bytes.
struct MemoryNeed {
  index_t data_bytes = 0;  ///< buffers and packed messages
  index_t weight_bytes = 0;

  index_t total() const { return data_bytes + weight_bytes; }
};

/// Offers and needs are by rank. Throws Error(OutOfMemory) with the numbers if the ranks on the GPU of `rank`, of which `memory`
/// is free, need more than that together. Ranks may need different amounts, as those of stages do, so each counts with its own.
/// What the libraries take for themselves (scratch memory of convolutions, buffers of NCCL) is not known yet and not counted.
void require_memory(std::span<const RankOffer> offers, std::span<const MemoryNeed> needs, int rank, const DeviceMemory& memory);

/// The workspace that a convolution may take on a GPU of so many bytes: 1 GiB, and of small GPUs, or of those that ranks share, a
/// sixteenth of a rank's part. It follows from the kind of the GPU and not from what is free at the moment, so that a choice
/// holds for the next run too. A power of two.
std::size_t most_workspace_bytes(std::size_t total_bytes, int ranks_per_gpu);

}  // namespace parconv::app
