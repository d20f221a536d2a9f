// SPDX-License-Identifier: Apache-2.0
// Checks that programs fit into the memory of their GPUs, before anything is allocated. Pure.
#pragma once

#include <span>
#include <string>

#include "parconv/device/device.hpp"
#include "parconv/session/devices/device_placement.hpp"

namespace parconv {

/// Lower bound of the memory of one rank on its GPU, in bytes.
struct MemoryNeed {
  index_t data_bytes = 0;  ///< buffers and packed messages
  index_t weight_bytes = 0;

  index_t total() const { return data_bytes + weight_bytes; }
};

/// Checks that the ranks on the GPU of `rank` fit into its free memory together. Local and pure. `offers` and `needs` are indexed
/// by rank; each rank counts with its own need, since ranks of different stages need different amounts. Memory of the libraries
/// (scratch of convolutions, buffers of NCCL) is not known yet and not counted. Throws Error(OutOfMemory) with the bytes.
void require_memory(std::span<const RankOffer> offers, std::span<const MemoryNeed> needs, int rank, const DeviceMemory& memory);

/// Limit of a convolution's workspace in bytes, a power of two: 1 GiB, or a sixteenth of the rank's part of the GPU if that is
/// less. The limit depends on the GPU's total memory, not on the free memory, so that algorithm choices stay valid for later
/// runs.
std::size_t most_workspace_bytes(std::size_t total_bytes, int ranks_per_gpu);

}  // namespace parconv
