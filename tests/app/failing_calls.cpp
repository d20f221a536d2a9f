// SPDX-License-Identifier: Apache-2.0
// Preloaded into parconv_app: makes allocations of C++, or threads, fail on one rank.
//   FAILING_RANK=R            the rank; all without it
//   FAILING_ALLOCATIONS=N,M   the allocations N to N + M - 1 after the begin of main fail
//   FAILING_THREADS=N         pthread_create fails if N threads that it started exist
//   COUNT_CALLS=FILE          appends the number of allocations to a file at the end of main
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

using Main = int (*)(int, char**, char**);
using StartMain = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
using CreateThread = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

constexpr long never = 1L << 62;

std::atomic<bool> is_counting{false};
std::atomic<long> allocations{0};
std::atomic<long> threads{0};
long first_allocation = never;
long end_of_allocations = never;
long most_threads = never;
Main program = nullptr;

bool is_failing_rank() {
  const char* const wanted = std::getenv("FAILING_RANK");
  const char* const own = std::getenv("OMPI_COMM_WORLD_RANK");
  return wanted == nullptr || std::strcmp(wanted, own == nullptr ? "0" : own) == 0;
}

void read_environment() {
  if (!is_failing_rank()) return;
  if (const char* text = std::getenv("FAILING_ALLOCATIONS")) {
    char* end = nullptr;
    first_allocation = std::strtol(text, &end, 10);
    end_of_allocations = first_allocation + (*end == ',' ? std::strtol(end + 1, nullptr, 10) : 1);
  }
  if (const char* text = std::getenv("FAILING_THREADS")) most_threads = std::strtol(text, nullptr, 10);
}

struct ThreadCall {
  void* (*work)(void*);
  void* argument;
};

/// A thread that ends by pthread_exit counts on.
void* run_thread(void* argument) {
  const ThreadCall call = *static_cast<ThreadCall*>(argument);
  std::free(argument);
  void* const result = call.work(call.argument);
  --threads;
  return result;
}

int counted_main(int argc, char** argv, char** environment) {
  read_environment();
  is_counting = true;
  const int status = program(argc, argv, environment);
  is_counting = false;
  if (const char* path = std::getenv("COUNT_CALLS"))
    if (std::FILE* file = std::fopen(path, "a")) {
      std::fprintf(file, "%ld\n", allocations.load());
      std::fclose(file);
    }
  return status;
}

void* allocate(std::size_t size, std::size_t alignment) {
  if (is_counting) {
    const long number = allocations++;
    if (number >= first_allocation && number < end_of_allocations) return nullptr;
  }
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  return alignment <= sizeof(std::max_align_t) ? std::malloc(size == 0 ? 1 : size) : std::aligned_alloc(alignment, rounded);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* const memory = allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

extern "C" {

// NOLINTNEXTLINE(readability-function-size): the signature of the C library
int __libc_start_main(Main main, int argc, char** argv, void (*init)(), void (*fini)(), void (*unload)(), void* stack_end) {
  program = main;
  const auto start = reinterpret_cast<StartMain>(::dlsym(RTLD_NEXT, "__libc_start_main"));
  return start(&counted_main, argc, argv, init, fini, unload, stack_end);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*work)(void*), void* argument) {
  static const auto create = reinterpret_cast<CreateThread>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (!is_counting) return create(thread, attributes, work, argument);
  auto* const call = threads++ < most_threads ? static_cast<ThreadCall*>(std::malloc(sizeof(ThreadCall))) : nullptr;
  if (call != nullptr) *call = {work, argument};
  const int error = call == nullptr ? EAGAIN : create(thread, attributes, &run_thread, call);
  if (error == 0) return 0;
  std::free(call);
  --threads;
  return error;
}
}

void* operator new(std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
