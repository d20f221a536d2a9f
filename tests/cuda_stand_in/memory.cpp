#include "memory.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include "settings.hpp"

namespace parconv::stand_in {
namespace {

constexpr std::size_t alignment = 256;  // of CUDA
constexpr std::size_t guard_bytes = 256;
constexpr unsigned char guard = 0xC7;
constexpr unsigned char garbage = 0xFF;  // NaN in all types

struct Allocation {
  std::size_t bytes = 0;
  Place place = Place::Device;
  int device = 0;
};

struct Memory {
  std::mutex mutex{};
  std::map<const std::byte*, Allocation> all{};  // by their first byte
  std::map<int, std::size_t> used{};             // of each device
};

Memory& memory() {
  static auto& memory = *new Memory;
  return memory;
}

/// [guard][bytes][up to the alignment and a guard]
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
    if (from[k] != std::byte{guard}) give_up("bytes beside an allocation were written");
}

bool take_bytes(std::size_t bytes, int device) {
  const std::scoped_lock lock(memory().mutex);
  std::size_t& used = memory().used[device];
  if (bytes > settings().memory_bytes - used) return false;
  used += bytes;
  return true;
}

void give_bytes(std::size_t bytes, int device) {
  const std::scoped_lock lock(memory().mutex);
  memory().used[device] -= bytes;
}

}  // namespace

void* allocate_device(std::size_t bytes, int device) {
  if (!take_bytes(bytes, device)) return nullptr;
  std::byte* const data = make_guarded({.bytes = bytes, .place = Place::Device, .device = device});
  if (data == nullptr) give_bytes(bytes, device);
  return data;
}

void* allocate_pinned(std::size_t bytes) {
  if (bytes > settings().memory_bytes) return nullptr;  // as much as a host may have
  return make_guarded({.bytes = bytes, .place = Place::Pinned});
}

bool release(void* data, Place place) {
  auto* const first = static_cast<std::byte*>(data);
  Allocation found;
  {
    const std::scoped_lock lock(memory().mutex);
    const auto at = memory().all.find(first);
    if (at == memory().all.end() || at->second.place != place) return false;
    found = at->second;
    memory().all.erase(at);
  }
  const std::size_t slack = (alignment - found.bytes % alignment) % alignment;
  expect_guard(first - guard_bytes, guard_bytes);
  expect_guard(first + found.bytes, slack + guard_bytes);
  if (place == Place::Device) give_bytes(found.bytes, found.device);
  std::memset(first, garbage, found.bytes);
  std::free(first - guard_bytes);
  return true;
}

std::size_t free_bytes(int device) {
  const std::scoped_lock lock(memory().mutex);
  return settings().memory_bytes - memory().used[device];
}

Place place_of(const void* data, std::size_t bytes) {
  const auto* const first = static_cast<const std::byte*>(data);
  const std::scoped_lock lock(memory().mutex);
  const auto after = memory().all.lower_bound(first + bytes);  // the first that begins behind the range
  if (after == memory().all.begin()) return Place::Pageable;
  const auto& [begin, allocation] = *std::prev(after);
  if (begin + allocation.bytes <= first) return Place::Pageable;
  if (first < begin || first + bytes > begin + allocation.bytes) give_up("a copy goes beyond the end of an allocation");
  return allocation.place;
}

}  // namespace parconv::stand_in
