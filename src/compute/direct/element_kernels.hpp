// SPDX-License-Identifier: Apache-2.0
// Conversions of elements for the vectors of tile_kernels.hpp. A class `Vector` converts `width` elements of a type at once:
// widen<type>(address) returns them as f32, narrow<type>(address, x) rounds and stores x.
#pragma once

#include "compute/direct/tile.hpp"

namespace parconv::direct {

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
void add_elements(const SumsCall& call) {
  float* sums = call.sums;
  for (std::ptrdiff_t pixel = 0; pixel < call.num_pixels; ++pixel, sums += call.pitch) {
    const std::byte* const elements = call.residual[pixel] + call.bytes;
    std::ptrdiff_t k = 0;
    for (; k + Vector::width <= call.channels; k += Vector::width)
      Vector::store(sums + k, Vector::add(Vector::load(sums + k), Vector::template widen<type>(elements + k * size_of(type))));
    const auto count = call.channels - k;
    if (count == 0) continue;
    const auto rest = static_cast<int>(count);
    const auto element = widen_first<Vector, type>(elements + k * size_of(type), count);
    Vector::store_first(sums + k, Vector::add(Vector::load_first(sums + k, rest), element), rest);
  }
}

template <class Vector, ElementType type, bool is_relu>
[[gnu::always_inline]] inline void store_sums(const SumsCall& call) {
  const auto finished = [](typename Vector::Register x) { return is_relu ? Vector::relu(x) : x; };
  const float* sums = call.sums;
  for (std::ptrdiff_t pixel = 0; pixel < call.num_pixels; ++pixel, sums += call.pitch) {
    std::byte* const elements = call.dst[pixel] + call.bytes;
    std::ptrdiff_t k = 0;
    for (; k + Vector::width <= call.channels; k += Vector::width)
      Vector::template narrow<type>(elements + k * size_of(type), finished(Vector::load(sums + k)));
    const auto rest = static_cast<int>(call.channels - k);
    if (rest > 0) narrow_first<Vector, type>(elements + k * size_of(type), finished(Vector::load_first(sums + k, rest)), rest);
  }
}

template <class Vector, ElementType type>
void store_elements(const SumsCall& call) {
  if (call.is_relu) return store_sums<Vector, type, true>(call);
  store_sums<Vector, type, false>(call);
}

template <class Vector, ElementType type>
constexpr ElementKernels element_kernels_of() {
  return {.widen = widen_elements<Vector, type>, .add = add_elements<Vector, type>, .store = store_elements<Vector, type>};
}

}  // namespace parconv::direct
