// SPDX-License-Identifier: Apache-2.0
#include "emulator/cudart/emulated_memory.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include "emulator/settings.hpp"

namespace parconv::emulator {
namespace {

constexpr std::size_t alignment = 256;  // as guaranteed by CUDA
constexpr std::size_t guard_bytes = 256;
constexpr unsigned char guard = 0xC7;
constexpr unsigned char garbage = 0xFF;  // NaN in all types

struct Allocation {
  std::size_t bytes = 0;
  MemoryType type = MemoryType::Device;
  int device = 0;
};

struct Memory {
  std::mutex mutex{};
  std::map<const std::byte*, Allocation> all{};  // by first byte
  std::map<int, std::size_t> used{};             // by device
};

Memory& memory() {
  static auto& memory = *new Memory;
  return memory;
}

/// [guard][bytes][padding to the alignment, and guard]
std::byte* make_guarded(const Allocation& allocation) {
  const std::size_t whole = 2 * guard_bytes + (allocation.bytes + alignment - 1) / alignment * alignment;
  auto* const base = static_cast<std::byte*>(std::aligned_alloc(alignment, whole));
  if (base == nullptr) return nullptr;
  std::memset(base, guard, whole);
  std::memset(base + guard_bytes, garbage, allocation.bytes);
  const std::scoped_lock lock(memory().mutex);
  memory().all[base + guard_bytes] = allocation;
  return base + guard_bytes;
}

void expect_guard(const std::byte* from, std::size_t bytes) {
  for (std::size_t k = 0; k < bytes; ++k)
    if (from[k] != std::byte{guard}) abort_with("bytes beside an allocation were written");
}

bool reserve_bytes(std::size_t bytes, int device) {
  const std::scoped_lock lock(memory().mutex);
  std::size_t& used = memory().used[device];
  if (bytes > settings().memory_bytes - used) return false;
  used += bytes;
  return true;
}

void unreserve_bytes(std::size_t bytes, int device) {
  const std::scoped_lock lock(memory().mutex);
  memory().used[device] -= bytes;
}

}  // namespace

void* allocate_device(std::size_t bytes, int device) {
  if (!reserve_bytes(bytes, device)) return nullptr;
  std::byte* const data = make_guarded({.bytes = bytes, .type = MemoryType::Device, .device = device});
  if (data == nullptr) unreserve_bytes(bytes, device);
  return data;
}

void* allocate_pinned(std::size_t bytes) {
  if (bytes > settings().memory_bytes) return nullptr;  // bound on the host's memory, too
  return make_guarded({.bytes = bytes, .type = MemoryType::Pinned});
}

bool release(void* data, MemoryType type) {
  auto* const first = static_cast<std::byte*>(data);
  Allocation found;
  {
    const std::scoped_lock lock(memory().mutex);
    const auto at = memory().all.find(first);
    if (at == memory().all.end() || at->second.type != type) return false;
    found = at->second;
    memory().all.erase(at);
  }
  const std::size_t slack = (alignment - found.bytes % alignment) % alignment;
  expect_guard(first - guard_bytes, guard_bytes);
  expect_guard(first + found.bytes, slack + guard_bytes);
  if (type == MemoryType::Device) unreserve_bytes(found.bytes, found.device);
  std::memset(first, garbage, found.bytes);
  std::free(first - guard_bytes);
  return true;
}

std::size_t free_bytes(int device) {
  const std::scoped_lock lock(memory().mutex);
  return settings().memory_bytes - memory().used[device];
}

MemoryType memory_type_of(const void* data, std::size_t bytes) {
  const auto* const first = static_cast<const std::byte*>(data);
  const std::scoped_lock lock(memory().mutex);
  const auto after = memory().all.lower_bound(first + bytes);  // the first allocation that begins after the range
  if (after == memory().all.begin()) return MemoryType::Pageable;
  const auto& [begin, allocation] = *std::prev(after);
  if (begin + allocation.bytes <= first) return MemoryType::Pageable;
  if (first < begin || first + bytes > begin + allocation.bytes) abort_with("a copy goes beyond the end of an allocation");
  return allocation.type;
}

}  // namespace parconv::emulator
