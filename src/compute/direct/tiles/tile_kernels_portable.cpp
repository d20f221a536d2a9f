// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/tiles/tile_kernels.hpp"
#include "parconv/tensor/half.hpp"

namespace parconv::direct {
namespace {

/// Four numbers. Loops over them become vector instructions where the CPU that is compiled for has fused ones.
struct Portable {
  static constexpr int width = 4;
  static constexpr int most_vectors = 2;
  static constexpr int channelwise_pixels = 4;
  struct Register {
    float x[width];
  };
  static constexpr int pixels_of(int vectors) { return vectors == 1 ? 8 : 4; }

  static Register zero() { return {{0, 0, 0, 0}}; }
  static Register load(const float* at) { return {{at[0], at[1], at[2], at[3]}}; }
  static Register load_first(const float* at, int count) {
    Register result = zero();
    for (int k = 0; k < count; ++k) result.x[k] = at[k];
    return result;
  }
  static Register filled(float x) { return {{x, x, x, x}}; }
  static Register broadcast(const float* at) { return filled(*at); }
  static Register add(Register a, Register b) {
    for (int k = 0; k < width; ++k) a.x[k] += b.x[k];
    return a;
  }
  static Register multiply_add(Register a, Register b, Register c) {
    for (int k = 0; k < width; ++k) c.x[k] = __builtin_fmaf(a.x[k], b.x[k], c.x[k]);
    return c;
  }
  static Register raise(Register x, Register a) {
    for (int k = 0; k < width; ++k) x.x[k] = x.x[k] < a.x[k] ? a.x[k] : x.x[k];
    return x;
  }
  static Register lower(Register x, Register a) {
    for (int k = 0; k < width; ++k) x.x[k] = x.x[k] > a.x[k] ? a.x[k] : x.x[k];
    return x;
  }
  static Register scale_negative(Register x, Register a) {
    for (int k = 0; k < width; ++k) x.x[k] = x.x[k] < 0 ? a.x[k] * x.x[k] : x.x[k];
    return x;
  }
  static void store(float* at, Register x) { store_first(at, x, width); }
  static void store_first(float* at, Register x, int count) {
    for (int k = 0; k < count; ++k) at[k] = x.x[k];
  }

  template <ElementType type>
  static Register widen(const std::byte* at) {
    if constexpr (type == ElementType::F32) return load(floats_at(at));
    Register x;
    const auto* const bits = reinterpret_cast<const std::uint16_t*>(at);
    for (int k = 0; k < width; ++k) x.x[k] = type == ElementType::F16 ? float_from_half(bits[k]) : float_from_bfloat16(bits[k]);
    return x;
  }
  template <ElementType type>
  static void narrow(std::byte* at, Register x) {
    if constexpr (type == ElementType::F32) return store(floats_at(at), x);
    auto* const bits = reinterpret_cast<std::uint16_t*>(at);
    for (int k = 0; k < width; ++k) bits[k] = type == ElementType::F16 ? half_from_float(x.x[k]) : bfloat16_from_float(x.x[k]);
  }
};

constexpr TileKernels kernels = kernels_of<Portable>();

}  // namespace

const TileKernels& portable_tile_kernels() { return kernels; }

}  // namespace parconv::direct
