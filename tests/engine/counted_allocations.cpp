// SPDX-License-Identifier: Apache-2.0
#include "engine/counted_allocations.hpp"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string_view>

namespace {

std::atomic<bool> is_counting{false};
std::atomic<int> num_allocations{0};

/// True for code of shared objects, except the C++ library, which allocates for its callers.
bool is_in_library(void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return false;
  const std::string_view name(info.dli_fname);
  return name.find(".so") != std::string_view::npos && name.find("libstdc++") == std::string_view::npos;
}

void* allocate(std::size_t bytes, std::size_t alignment, void* caller) {
  if (is_counting && !is_in_library(caller)) ++num_allocations;
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment + alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, 16, __builtin_return_address(0)); }
void* operator new[](std::size_t bytes) { return allocate(bytes, 16, __builtin_return_address(0)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {  // std::stable_sort
  return allocate(bytes, 16, __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace parconv::test {

AllocationCounter::AllocationCounter() {
  num_allocations = 0;
  is_counting = true;
}

AllocationCounter::~AllocationCounter() { is_counting = false; }

int AllocationCounter::count() const { return num_allocations; }

}  // namespace parconv::test
