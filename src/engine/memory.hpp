// The memory of one engine and addresses in it.
#pragma once

#include <cstddef>

#include "parconv/device/device.hpp"
#include "parconv/program/program.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {

/// Where a region is, for any micro-batch. In the memory of the engine's device.
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

/// True if the region is one run of memory, so that messages need no packing.
bool is_contiguous(const Program& program, const Region& region);

}  // namespace parconv
