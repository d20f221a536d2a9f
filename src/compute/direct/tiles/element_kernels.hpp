// SPDX-License-Identifier: Apache-2.0
// Conversions of elements for the vectors of tile_kernels.hpp. A class `Vector` converts `width` elements of a type at once:
// widen<type>(address) returns them as f32, narrow<type>(address, x) rounds and stores x.
#pragma once

#include "compute/direct/tiles/tile.hpp"

namespace parconv::direct {

[[gnu::always_inline]] inline float* floats_at(std::byte* address) { return reinterpret_cast<float*>(address); }
[[gnu::always_inline]] inline const float* floats_at(const std::byte* address) { return reinterpret_cast<const float*>(address); }

constexpr std::ptrdiff_t size_of(ElementType type) { return type == ElementType::F32 ? 4 : 2; }

/// The first `count` elements at an address, by way of memory that has room for a whole vector.
template <class Vector, ElementType type>
[[gnu::always_inline]] inline typename Vector::Register widen_first(const std::byte* at, std::ptrdiff_t count) {
  alignas(64) std::byte whole[Vector::width * size_of(type)] = {};
  __builtin_memcpy(whole, at, static_cast<unsigned long>(count * size_of(type)));
  return Vector::template widen<type>(whole);
}

template <class Vector, ElementType type>
[[gnu::always_inline]] inline void narrow_first(std::byte* at, typename Vector::Register x, std::ptrdiff_t count) {
  alignas(64) std::byte whole[Vector::width * size_of(type)];
  Vector::template narrow<type>(whole, x);
  __builtin_memcpy(at, whole, static_cast<unsigned long>(count * size_of(type)));
}

template <class Vector, ElementType type>
void widen_elements(const std::byte* src, float* dst, std::ptrdiff_t count) {
  std::ptrdiff_t k = 0;
  for (; k + Vector::width <= count; k += Vector::width)
    Vector::store(dst + k, Vector::template widen<type>(src + k * size_of(type)));
  if (k < count)
    Vector::store_first(dst + k, widen_first<Vector, type>(src + k * size_of(type), count - k), static_cast<int>(count - k));
}

template <class Vector, ElementType type>
void store_elements(const StoreCall& call) {
  const float* results = call.results;
  for (std::ptrdiff_t pixel = 0; pixel < call.num_pixels; ++pixel, results += call.pitch) {
    std::byte* const dst = call.dst[pixel] + call.dst_bytes;
    std::ptrdiff_t k = 0;
    for (; k + Vector::width <= call.channels; k += Vector::width)
      Vector::template narrow<type>(dst + k * size_of(type), Vector::load(results + k));
    const auto rest = static_cast<int>(call.channels - k);
    if (rest > 0) narrow_first<Vector, type>(dst + k * size_of(type), Vector::load_first(results + k, rest), rest);
  }
}

/// `count` elements of any type, at most a vector.
template <class Vector, ElementType type>
[[gnu::always_inline]] inline typename Vector::Register load_elements(const std::byte* at, int count) {
  return count == Vector::width ? Vector::template widen<type>(at) : widen_first<Vector, type>(at, count);
}

template <class Vector>
[[gnu::always_inline]] inline typename Vector::Register load_elements(ElementType type, const std::byte* at, int count) {
  if (type == ElementType::F32) return Vector::load_first(floats_at(at), count);
  if (type == ElementType::BF16) return load_elements<Vector, ElementType::BF16>(at, count);
  return load_elements<Vector, ElementType::F16>(at, count);
}

template <class Vector, ElementType type>
[[gnu::always_inline]] inline void store_first(std::byte* at, typename Vector::Register x, int count) {
  if (count == Vector::width) return Vector::template narrow<type>(at, x);
  narrow_first<Vector, type>(at, x, count);
}

template <class Vector>
[[gnu::always_inline]] inline void store_first(ElementType type, std::byte* at, typename Vector::Register x, int count) {
  if (type == ElementType::F32) return Vector::store_first(floats_at(at), x, count);
  if (type == ElementType::BF16) return store_first<Vector, ElementType::BF16>(at, x, count);
  store_first<Vector, ElementType::F16>(at, x, count);
}

template <class Vector, ElementType type>
constexpr ElementKernels element_kernels_of() {
  return {.widen = widen_elements<Vector, type>, .store = store_elements<Vector, type>};
}

}  // namespace parconv::direct
