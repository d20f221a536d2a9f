// SPDX-License-Identifier: Apache-2.0
// Element access for element-wise functions, on host and device: vectors along channels are loaded as f32, computed on, and
// stored in the operand's own type. The only place that knows element types.
#pragma once

#include <algorithm>
#include <cstring>

#include "parconv/core/host_device_macros.hpp"
#include "parconv/geometry/operand_layout.hpp"
#include "parconv/tensor/half.hpp"

/// GPUs end the program where the address of a vector is not aligned. Where a test checks that on the host, it says so here.
#if defined(__CUDA_ARCH__) || defined(PARCONV_CHECKS_ALIGNMENT)
#define PARCONV_MOVES_WHOLE_VECTORS 1
#else
#define PARCONV_MOVES_WHOLE_VECTORS 0
#endif

namespace parconv {

/// The indices of an element.
struct ElementIndex {
  index_t n = 0;
  index_t c = 0;
  index_t d = 0;
  index_t h = 0;
  index_t w = 0;
};

/// V elements, consecutive along channels.
template <int V>
struct ChannelVector {
  float x[V];
};

/// An operand in host or device memory: address of its first element, and strides in elements. A stride of 0 broadcasts an
/// axis. Channels are contiguous, or there is one, possibly broadcast.
template <class Byte>
struct BasicElements {
  Byte* data = nullptr;
  ElementIndex strides{};
  DType type = DType::F32;

  PARCONV_HOST_DEVICE index_t offset(const ElementIndex& at) const {
    return at.n * strides.n + at.c * strides.c + at.d * strides.d + at.h * strides.h + at.w * strides.w;
  }
};
using Elements = BasicElements<std::byte>;
using ConstElements = BasicElements<const std::byte>;

inline ElementIndex element_index(const Extents& along) {
  return {.n = along[Axis::N], .c = along[Axis::C], .d = along[Axis::D], .h = along[Axis::H], .w = along[Axis::W]};
}

/// The operand of `layout` at `data`, which may be bound later.
template <class Byte>
BasicElements<Byte> elements_of(const OperandLayout& layout, Byte* data = nullptr) {
  return {.data = data, .strides = element_index(layout.strides), .type = layout.type};
}

#if defined(__CUDACC__)
/// Customisation point: 16-bit conversions on a GPU, bitwise equal to those of parconv/tensor/half.hpp. Every source for a CUDA
/// compiler defines them by including the module `cuda`'s cuda/cuda_half.hpp; without it, its device code does not link.
namespace gpu {
__device__ inline float float_from_half(std::uint16_t half);
__device__ inline std::uint16_t half_from_float(float value);
__device__ inline float float_from_bfloat16(std::uint16_t value);
__device__ inline std::uint16_t bfloat16_from_float(float value);
}  // namespace gpu
#endif
#if defined(__CUDA_ARCH__)
namespace conversions = gpu;
#else
namespace conversions = ::parconv;
#endif

namespace element_types {

struct F32 {
  using Bits = float;
  static PARCONV_HOST_DEVICE float number(Bits bits) { return bits; }
  static PARCONV_HOST_DEVICE Bits bits(float number) { return number; }
};

struct F16 {
  using Bits = std::uint16_t;
  static PARCONV_HOST_DEVICE float number(Bits bits) { return conversions::float_from_half(bits); }
  static PARCONV_HOST_DEVICE Bits bits(float number) { return conversions::half_from_float(number); }
};
struct BF16 {
  using Bits = std::uint16_t;
  static PARCONV_HOST_DEVICE float number(Bits bits) { return conversions::float_from_bfloat16(bits); }
  static PARCONV_HOST_DEVICE Bits bits(float number) { return conversions::bfloat16_from_float(number); }
};

}  // namespace element_types

/// Bytes that the address of `width` elements of `size` bytes is a multiple of.
constexpr std::size_t vector_alignment(int width, std::size_t size) {
  return std::min<std::size_t>(16, static_cast<std::size_t>(width) * size);
}

/// Elements as stored in memory, moved as a whole in units of up to 16 bytes.
template <int V, class Type>
struct alignas(vector_alignment(V, sizeof(typename Type::Bits))) PackedVector {
  typename Type::Bits bits[V];
};

template <int V, class Type>
PARCONV_HOST_DEVICE inline ChannelVector<V> load_as(const std::byte* data, index_t offset) {
  using Packed = PackedVector<V, Type>;
  const std::byte* const from = data + offset * static_cast<index_t>(sizeof(typename Type::Bits));
#if PARCONV_MOVES_WHOLE_VECTORS
  const Packed packed = *reinterpret_cast<const Packed*>(from);
#else
  Packed packed;
  std::memcpy(&packed, from, sizeof packed);
#endif
  ChannelVector<V> values;
  for (int k = 0; k < V; ++k) values.x[k] = Type::number(packed.bits[k]);
  return values;
}

template <int V, class Type>
PARCONV_HOST_DEVICE inline void store_as(std::byte* data, index_t offset, const ChannelVector<V>& values) {
  using Packed = PackedVector<V, Type>;
  Packed packed;
  for (int k = 0; k < V; ++k) packed.bits[k] = Type::bits(values.x[k]);
  std::byte* const to = data + offset * static_cast<index_t>(sizeof(typename Type::Bits));
#if PARCONV_MOVES_WHOLE_VECTORS
  *reinterpret_cast<Packed*>(to) = packed;
#else
  std::memcpy(to, &packed, sizeof packed);
#endif
}

/// The elements `offset`, `offset` + 1, ... of an operand. Precondition: the address is a multiple of vector_alignment.
template <int V>
PARCONV_HOST_DEVICE inline ChannelVector<V> load_dense(const ConstElements& from, index_t offset) {
  switch (from.type) {
    case DType::F16:
      return load_as<V, element_types::F16>(from.data, offset);
    case DType::BF16:
      return load_as<V, element_types::BF16>(from.data, offset);
    default:
      return load_as<V, element_types::F32>(from.data, offset);
  }
}

PARCONV_HOST_DEVICE inline float load_one(const ConstElements& from, index_t offset) { return load_dense<1>(from, offset).x[0]; }

/// V channels from `at` on.
template <int V>
PARCONV_HOST_DEVICE inline ChannelVector<V> load(const ConstElements& from, const ElementIndex& at) {
  const index_t offset = from.offset(at);
  if (from.strides.c == 1) return load_dense<V>(from, offset);
  const float repeated = load_one(from, offset);
  ChannelVector<V> values;
  for (int k = 0; k < V; ++k) values.x[k] = repeated;
  return values;
}

template <int V>
PARCONV_HOST_DEVICE inline void store_dense(const Elements& to, index_t offset, const ChannelVector<V>& values) {
  switch (to.type) {
    case DType::F16:
      return store_as<V, element_types::F16>(to.data, offset, values);
    case DType::BF16:
      return store_as<V, element_types::BF16>(to.data, offset, values);
    default:
      return store_as<V, element_types::F32>(to.data, offset, values);
  }
}

template <int V>
PARCONV_HOST_DEVICE inline void store(const Elements& to, const ElementIndex& at, const ChannelVector<V>& values) {
  store_dense<V>(to, to.offset(at), values);
}

/// True for the types on which element-wise functions operate.
constexpr bool is_element_type(DType type) { return type == DType::F32 || type == DType::F16 || type == DType::BF16; }

}  // namespace parconv
