// SPDX-License-Identifier: Apache-2.0
#include <cxxabi.h>

#include <cstdlib>
#include <string_view>

#include "emulator/cudart/emulated_runtime.hpp"
#include "emulator/settings.hpp"
#include "kernels.hpp"

namespace parconv::emulator {
namespace {

std::string demangled(const char* name) {
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, nullptr), &std::free);
  return text ? text.get() : name;
}

/// Indexed by the demangled type of the function object.
std::map<std::string, MakeWork>& loops() {
  static auto& loops = *new std::map<std::string, MakeWork>;
  return loops;
}

/// Indexed by the host address of the kernel.
std::map<const void*, MakeWork>& kernels() {
  static auto& kernels = *new std::map<const void*, MakeWork>;
  return kernels;
}

/// The F of "void parconv::cuda::for_each_kernel<F>(long, F)".
std::string function_of(const char* kernel) {
  static constexpr std::string_view begin = "void parconv::cuda::for_each_kernel<";
  const std::string name = demangled(kernel);
  const std::size_t end = name.rfind(">(long, ");
  if (!name.starts_with(begin) || end == std::string::npos) return name;
  const std::string function = name.substr(begin.size(), end - begin.size());
  return function.ends_with("> ") ? function.substr(0, function.size() - 1) : function;
}

/// An injected illegal memory access.
Work faulty() {
  return [] { break_device(cudaErrorIllegalAddress); };
}

bool is_faulty_launch() {
  static std::atomic<std::uint64_t> launches = 0;
  return ++launches == settings().faulty_launch;
}

struct CallConfiguration {
  dim3 grid{};
  dim3 block{};
  std::size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
};
thread_local std::vector<CallConfiguration> configurations;

}  // namespace

bool add_kernel(const std::type_info& function, MakeWork make_work) {
  loops()[demangled(function.name())] = make_work;
  return true;
}

}  // namespace parconv::emulator

using namespace parconv::emulator;

extern "C" {

void** __cudaRegisterFatBinary(void*) {
  static void* handle = nullptr;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}

// NOLINTNEXTLINE(readability-function-size): the toolkit's signature
void __cudaRegisterFunction(void**, const char* address, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*, int*) {
  const auto found = loops().find(function_of(name));
  if (found == loops().end()) abort_with(("no implementation of kernel " + demangled(name)).c_str());
  kernels()[address] = found->second;
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream) {
  configurations.push_back({grid, block, shared_bytes, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, std::size_t* shared_bytes, void* stream) {
  if (configurations.empty()) return record_error(cudaErrorInvalidConfiguration);
  const CallConfiguration& last = configurations.back();
  *grid = last.grid;
  *block = last.block;
  *shared_bytes = last.shared_bytes;
  *static_cast<cudaStream_t*>(stream) = last.stream;
  configurations.pop_back();
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* address) {
  *kernel = static_cast<cudaKernel_t>(const_cast<void*>(address));
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, std::size_t, cudaStream_t stream) {
  PARCONV_EMULATOR_ENTER();
  const auto found = kernels().find(kernel);
  if (found == kernels().end()) return record_error(cudaErrorInvalidDeviceFunction);
  if (grid.x == 0 || block.x == 0 || block.x * block.y * block.z > 1024) return record_error(cudaErrorInvalidConfiguration);
  if (stream_of(stream).stream->device() != current_device()) return record_error(cudaErrorInvalidResourceHandle);
  submit(stream, is_faulty_launch() ? faulty() : found->second({grid, block}, arguments));
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* address, dim3 grid, dim3 block, void** arguments, std::size_t shared_bytes,
                             cudaStream_t stream) {
  return __cudaLaunchKernel(static_cast<cudaKernel_t>(const_cast<void*>(address)), grid, block, arguments, shared_bytes, stream);
}
}
