// SPDX-License-Identifier: Apache-2.0
#include "tensor/streaming.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace parconv {

#ifdef __SSE2__

namespace {

constexpr std::size_t line_bytes = 64;  // partial lines would be written to memory in parts

void stream_line(const std::byte* src, std::byte* dst) {
  const auto* const from = reinterpret_cast<const __m128i*>(src);
  auto* const to = reinterpret_cast<__m128i*>(dst);
  const __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1), c = _mm_loadu_si128(from + 2),
                d = _mm_loadu_si128(from + 3);
  _mm_stream_si128(to, a);
  _mm_stream_si128(to + 1, b);
  _mm_stream_si128(to + 2, c);
  _mm_stream_si128(to + 3, d);
}

}  // namespace

void copy_streaming(const std::byte* src, std::byte* dst, std::size_t size_bytes) {
  const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(dst) % line_bytes;
  const std::size_t head = std::min(size_bytes, (line_bytes - misaligned) % line_bytes);
  std::memcpy(dst, src, head);
  std::size_t done = head;
  for (; done + line_bytes <= size_bytes; done += line_bytes) stream_line(src + done, dst + done);
  std::memcpy(dst + done, src + done, size_bytes - done);
}

void finish_streaming() { _mm_sfence(); }

#else

void copy_streaming(const std::byte* src, std::byte* dst, std::size_t size_bytes) { std::memcpy(dst, src, size_bytes); }
void finish_streaming() {}

#endif

}  // namespace parconv
