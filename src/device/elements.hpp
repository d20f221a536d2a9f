// Elements of operands as functions of single elements see them, on the host and on GPUs: vectors along channels are read as f32,
// computed on, and written in the operand's own type. The only place that knows element types.
#pragma once

#include <algorithm>
#include <cstring>

#include "core/host_device.hpp"
#include "parconv/model/local_op.hpp"
#include "parconv/tensor/half.hpp"
#if defined(__CUDACC__)
#include "device/cuda_half.hpp"
#endif

/// GPUs end the program where the address of lanes is not aligned. Where a test checks that on the host, it says so here.
#if defined(__CUDA_ARCH__) || defined(PARCONV_CHECKS_ALIGNMENT)
#define PARCONV_MOVES_WHOLE_LANES 1
#else
#define PARCONV_MOVES_WHOLE_LANES 0
#endif

namespace parconv {

/// The indices of an element.
struct Place {
  index_t n = 0;
  index_t c = 0;
  index_t d = 0;
  index_t h = 0;
  index_t w = 0;
};

/// Elements side by side along channels.
template <int V>
struct Lanes {
  float x[V];
};

/// An operand in any memory: its first element and its strides in elements. A stride of 0 repeats an axis. Channels lie side by
/// side, or there is one, which may be repeated.
template <class Byte>
struct BasicElements {
  Byte* data = nullptr;
  Place strides{};
  DType type = DType::F32;

  PARCONV_HOST_DEVICE index_t offset(const Place& at) const {
    return at.n * strides.n + at.c * strides.c + at.d * strides.d + at.h * strides.h + at.w * strides.w;
  }
};
using Elements = BasicElements<std::byte>;
using ConstElements = BasicElements<const std::byte>;

inline Place place_of(const Extents& along) {
  return {.n = along[Axis::N], .c = along[Axis::C], .d = along[Axis::D], .h = along[Axis::H], .w = along[Axis::W]};
}

/// An operand whose place in memory is not known yet.
template <class Byte>
BasicElements<Byte> elements_of(const OperandLayout& layout, Byte* data = nullptr) {
  return {.data = data, .strides = place_of(layout.strides), .type = layout.type};
}

namespace element_types {

struct F32 {
  using Bits = float;
  static PARCONV_HOST_DEVICE float number(Bits bits) { return bits; }
  static PARCONV_HOST_DEVICE Bits bits(float number) { return number; }
};

#if defined(__CUDA_ARCH__)
using F16 = CudaHalf;
using BF16 = CudaBfloat16;
#else
struct F16 {
  using Bits = std::uint16_t;
  static PARCONV_HOST_DEVICE float number(Bits bits) { return float_from_half(bits); }
  static PARCONV_HOST_DEVICE Bits bits(float number) { return half_from_float(number); }
};
struct BF16 {
  using Bits = std::uint16_t;
  static PARCONV_HOST_DEVICE float number(Bits bits) { return float_from_bfloat16(bits); }
  static PARCONV_HOST_DEVICE Bits bits(float number) { return bfloat16_from_float(number); }
};
#endif

}  // namespace element_types

/// Bytes that the address of `lanes` elements of `size` bytes is a multiple of.
constexpr std::size_t alignment_of_lanes(int lanes, std::size_t size) {
  return std::min<std::size_t>(16, static_cast<std::size_t>(lanes) * size);
}

/// Elements as they are in memory; moved as a whole, 16 bytes at a time.
template <int V, class Type>
struct alignas(alignment_of_lanes(V, sizeof(typename Type::Bits))) PackedLanes {
  typename Type::Bits bits[V];
};

template <int V, class Type>
PARCONV_HOST_DEVICE inline Lanes<V> load_as(const std::byte* data, index_t offset) {
  using Packed = PackedLanes<V, Type>;
  const std::byte* const from = data + offset * static_cast<index_t>(sizeof(typename Type::Bits));
#if PARCONV_MOVES_WHOLE_LANES
  const Packed packed = *reinterpret_cast<const Packed*>(from);
#else
  Packed packed;
  std::memcpy(&packed, from, sizeof packed);
#endif
  Lanes<V> lanes;
  for (int k = 0; k < V; ++k) lanes.x[k] = Type::number(packed.bits[k]);
  return lanes;
}

template <int V, class Type>
PARCONV_HOST_DEVICE inline void store_as(std::byte* data, index_t offset, const Lanes<V>& lanes) {
  using Packed = PackedLanes<V, Type>;
  Packed packed;
  for (int k = 0; k < V; ++k) packed.bits[k] = Type::bits(lanes.x[k]);
  std::byte* const to = data + offset * static_cast<index_t>(sizeof(typename Type::Bits));
#if PARCONV_MOVES_WHOLE_LANES
  *reinterpret_cast<Packed*>(to) = packed;
#else
  std::memcpy(to, &packed, sizeof packed);
#endif
}

/// The elements `offset`, `offset` + 1, ... of an operand. Precondition: the address is a multiple of alignment_of_lanes.
template <int V>
PARCONV_HOST_DEVICE inline Lanes<V> load_dense(const ConstElements& from, index_t offset) {
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
PARCONV_HOST_DEVICE inline Lanes<V> load(const ConstElements& from, const Place& at) {
  const index_t offset = from.offset(at);
  if (from.strides.c == 1) return load_dense<V>(from, offset);
  const float repeated = load_one(from, offset);
  Lanes<V> lanes;
  for (int k = 0; k < V; ++k) lanes.x[k] = repeated;
  return lanes;
}

template <int V>
PARCONV_HOST_DEVICE inline void store_dense(const Elements& to, index_t offset, const Lanes<V>& lanes) {
  switch (to.type) {
    case DType::F16:
      return store_as<V, element_types::F16>(to.data, offset, lanes);
    case DType::BF16:
      return store_as<V, element_types::BF16>(to.data, offset, lanes);
    default:
      return store_as<V, element_types::F32>(to.data, offset, lanes);
  }
}

template <int V>
PARCONV_HOST_DEVICE inline void store(const Elements& to, const Place& at, const Lanes<V>& lanes) {
  store_dense<V>(to, to.offset(at), lanes);
}

/// True for the types that elements are computed on.
constexpr bool is_element_type(DType type) { return type == DType::F32 || type == DType::F16 || type == DType::BF16; }

}  // namespace parconv
