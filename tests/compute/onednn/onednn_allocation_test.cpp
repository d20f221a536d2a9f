// SPDX-License-Identifier: Apache-2.0
// Executing prepared calls allocates nothing. oneDNN's own small allocations are excluded by the caller's address.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string_view>

#include "compute/kind_cases.hpp"
#include "compute/onednn/onednn_backend.hpp"

namespace {

std::atomic<bool> is_counting{false};
std::atomic<int> num_allocations{0};

bool is_in_onednn(void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr &&
         std::string_view(info.dli_fname).find("libdnnl") != std::string_view::npos;
}

void* allocate(std::size_t bytes, std::size_t alignment, void* caller) {
  if (is_counting && !is_in_onednn(caller)) ++num_allocations;
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment + alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Not inlined: compilers would report mismatched new and delete.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return allocate(bytes, 16, __builtin_return_address(0)); }
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return allocate(bytes, 16, __builtin_return_address(0)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {  // std::stable_partition
  return allocate(bytes, 16, __builtin_return_address(0));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace parconv::test {
namespace {

int allocations_of(Kernel& kernel, TestCall& call) {
  const auto srcs = pointers_of(call.srcs);
  Scratch scratch(kernel);
  std::byte* const place = scratch.data();
  num_allocations = 0;
  is_counting = true;
  kernel.execute(srcs, call.dst.data(), place);
  is_counting = false;
  return num_allocations;
}

TEST(OnednnAllocations, TheCounterSeesAllocations) {
  num_allocations = 0;
  is_counting = true;
  const std::vector<float> values(1000);
  is_counting = false;
  EXPECT_EQ(num_allocations, 1) << values.size();
}

TEST(OnednnAllocations, ExecuteAllocatesNothing) {
  const auto backend = make_onednn_backend(1);
  for (const KindCase& kind : all_kinds())
    for (std::uint64_t k = 0; k < 40; ++k) {
      TestCall call = draw_call(kind, k, Numbers::Reals);
      const auto kernel = backend->prepare(call.op, reader_of(call.filter));
      allocations_of(*kernel, call);
      EXPECT_EQ(allocations_of(*kernel, call), 0) << kernel->implementation() << ", call " << k;
    }
}

}  // namespace
}  // namespace parconv::test
