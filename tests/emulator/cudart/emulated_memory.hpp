// SPDX-License-Identifier: Apache-2.0
// Memory of the emulated GPUs: host memory with guard bytes.
#pragma once

#include <cstddef>

namespace parconv::emulator {

enum class MemoryType {
  Pageable,  ///< host memory not allocated by the emulator
  Pinned,
  Device,
};

/// Returns memory filled with NaN, or nullptr if the device lacks space.
void* allocate_device(std::size_t bytes, int device);
void* allocate_pinned(std::size_t bytes);
/// Aborts if guard bytes were overwritten. False if no allocation of this type begins at `data`.
bool release(void* data, MemoryType type);
std::size_t free_bytes(int device);

/// Type of the memory [data, data + bytes). Aborts if the range straddles the end of an allocation.
MemoryType memory_type_of(const void* data, std::size_t bytes);

}  // namespace parconv::emulator
