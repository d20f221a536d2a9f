// SPDX-License-Identifier: Apache-2.0
// Memory aligned to cache lines.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace parconv {

/// Size in bytes of a cache line and of the widest vector register.
inline constexpr std::size_t memory_alignment = 64;

/// Standard allocator with alignment `memory_alignment`.
template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <class U>
  constexpr AlignedAllocator(const AlignedAllocator<U>&) {}

  T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{memory_alignment}));
  }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, std::align_val_t{memory_alignment}); }

  friend constexpr bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

/// Zero-initialised bytes aligned to `memory_alignment`; copies are aligned too.
using AlignedBytes = std::vector<std::byte, AlignedAllocator<std::byte>>;

}  // namespace parconv
