// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "emulator/cudart/emulated_memory.hpp"
#include "emulator/cudart/emulated_runtime.hpp"
#include "emulator/settings.hpp"

namespace parconv::emulator {
namespace {

/// A 2-D copy of rows of bytes.
struct Rows {
  std::byte* dst = nullptr;
  std::size_t dst_pitch = 0;
  const std::byte* src = nullptr;
  std::size_t src_pitch = 0;
  std::size_t row_bytes = 0;
  std::size_t count = 1;

  std::size_t dst_bytes() const { return (count - 1) * dst_pitch + row_bytes; }
  std::size_t src_bytes() const { return (count - 1) * src_pitch + row_bytes; }
  bool is_empty() const { return count == 0 || row_bytes == 0; }
  void copy() const {
    for (std::size_t k = 0; k < count; ++k) std::memcpy(dst + k * dst_pitch, src + k * src_pitch, row_bytes);
  }
};

/// True if source and destination match `kind`.
bool matches(cudaMemcpyKind kind, MemoryType src, MemoryType dst) {
  switch (kind) {
    case cudaMemcpyHostToDevice:
      return src != MemoryType::Device && dst == MemoryType::Device;
    case cudaMemcpyDeviceToHost:
      return src == MemoryType::Device && dst != MemoryType::Device;
    case cudaMemcpyDeviceToDevice:
      return src == MemoryType::Device && dst == MemoryType::Device;
    case cudaMemcpyHostToHost:
      return src != MemoryType::Device && dst != MemoryType::Device;
    default:
      return true;
  }
}

/// For pageable memory, the source is read and the destination written before the call returns.
cudaError_t copy_rows(const Rows& rows, cudaMemcpyKind kind, cudaStream_t stream) {
  if (rows.is_empty()) return cudaSuccess;
  if (rows.count > 1 && (rows.dst_pitch < rows.row_bytes || rows.src_pitch < rows.row_bytes)) return cudaErrorInvalidValue;
  const MemoryType src = memory_type_of(rows.src, rows.src_bytes());
  const MemoryType dst = memory_type_of(rows.dst, rows.dst_bytes());
  if (!matches(kind, src, dst)) return cudaErrorInvalidValue;
  const bool is_kept = stream_of(stream).capture != nullptr;
  if (src == MemoryType::Pageable && !is_kept) {
    auto kept = std::make_shared<std::vector<std::byte>>(rows.src, rows.src + rows.src_bytes());
    Rows staged = rows;
    staged.src = kept->data();
    submit(stream, [staged, kept] { staged.copy(); });
  } else {
    submit(stream, [rows] { rows.copy(); });
  }
  if (dst == MemoryType::Pageable && !is_kept) stream_of(stream).stream->wait();
  return cudaSuccess;
}

cudaError_t allocated(void** data, void* found) {
  if (found == nullptr) return cudaErrorMemoryAllocation;
  *data = found;
  return cudaSuccess;
}

/// Synchronizes the device before freeing, as cudaFree does.
cudaError_t free_memory(void* data, MemoryType type) {
  if (data == nullptr) return cudaSuccess;
  wait_for_all_streams();
  return release(data, type) ? cudaSuccess : cudaErrorInvalidValue;
}

}  // namespace
}  // namespace parconv::emulator

using namespace parconv::emulator;

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  PARCONV_EMULATOR_ENTER();
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return record_error(status);
  return record_error(allocated(data, allocate_device(bytes, current_device())));
}

cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
  PARCONV_EMULATOR_ENTER();
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return record_error(status);
  return record_error(allocated(data, allocate_pinned(bytes)));
}

cudaError_t cudaFree(void* data) {
  PARCONV_EMULATOR_ENTER();
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return record_error(status);
  return record_error(free_memory(data, MemoryType::Device));
}

cudaError_t cudaFreeHost(void* data) {
  PARCONV_EMULATOR_ENTER();
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return record_error(status);
  return record_error(free_memory(data, MemoryType::Pinned));
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  PARCONV_EMULATOR_ENTER();
  *free = free_bytes(current_device());
  *total = settings().memory_bytes;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* dst, const void* src, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return cudaMemcpy2DAsync(dst, bytes, src, bytes, bytes, 1, kind, stream);
}

// NOLINTNEXTLINE(readability-function-size): the toolkit's signature
cudaError_t cudaMemcpy2DAsync(void* dst, std::size_t dst_pitch, const void* src, std::size_t src_pitch, std::size_t row_bytes,
                              std::size_t rows, cudaMemcpyKind kind, cudaStream_t stream) {
  PARCONV_EMULATOR_ENTER();
  return record_error(copy_rows({.dst = static_cast<std::byte*>(dst),
                                 .dst_pitch = dst_pitch,
                                 .src = static_cast<const std::byte*>(src),
                                 .src_pitch = src_pitch,
                                 .row_bytes = row_bytes,
                                 .count = rows},
                                kind, stream));
}

cudaError_t cudaMemcpy(void* dst, const void* src, std::size_t bytes, cudaMemcpyKind kind) {
  if (const cudaError_t status = cudaMemcpyAsync(dst, src, bytes, kind, nullptr); status != cudaSuccess) return status;
  return cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
  PARCONV_EMULATOR_ENTER();
  if (bytes == 0) return cudaSuccess;
  if (memory_type_of(data, bytes) == MemoryType::Pageable) return record_error(cudaErrorInvalidValue);
  submit(stream, [data, value, bytes] { std::memset(data, value, bytes); });
  return cudaSuccess;
}
