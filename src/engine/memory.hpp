// SPDX-License-Identifier: Apache-2.0
// The memory of one engine and its addresses.
#pragma once

#include <cstddef>

#include "parconv/device/device.hpp"
#include "parconv/program/program.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {

/// The device addresses of a region, by micro-batch.
struct RegionAddress {
  std::byte* first = nullptr;
  index_t slot_bytes = 0;
  index_t slots = 1;
  OperandLayout layout{};

  std::byte* data(index_t micro_batch) const { return first + micro_batch % slots * slot_bytes; }
  View view(index_t micro_batch) const { return {data(micro_batch), layout}; }
};

/// One rank's buffers.
class Arena {
 public:
  Arena(const Program& program, Device& device)
      : program_(program), memory_(device.allocate(static_cast<std::size_t>(program.arena_bytes))) {}

  RegionAddress address(const Region& region);
  std::size_t size_bytes() const { return memory_.size(); }

 private:
  const Program& program_;
  DeviceBytes memory_;
};

/// Pinned host memory for one dense box.
struct PinnedBlock {
  PinnedBlock(Device& device, const OperandLayout& like);

  View view() { return {memory.data(), layout}; }

  OperandLayout layout;  ///< dense
  DeviceBytes memory;
};

/// True if the region is contiguous, so that messages need no packing.
bool is_contiguous(const Program& program, const Region& region);

}  // namespace parconv
