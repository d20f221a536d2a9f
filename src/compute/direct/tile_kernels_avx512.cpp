// SPDX-License-Identifier: Apache-2.0
#ifdef __x86_64__
#include <immintrin.h>

#include "compute/direct/tile_kernels.hpp"

namespace parconv::direct {
namespace {

struct Avx512 {
  using Register = __m512;
  static constexpr int width = 16;
  static constexpr int most_vectors = 4;
  static constexpr int channelwise_pixels = 8;
  static constexpr int pixels_of(int vectors) { return vectors == 1 ? 10 : vectors == 2 ? 14 : vectors == 3 ? 9 : 6; }

  static __mmask16 first(int count) { return static_cast<__mmask16>((1U << count) - 1U); }
  static Register zero() { return _mm512_setzero_ps(); }
  static Register load(const float* at) { return _mm512_loadu_ps(at); }
  static Register load_first(const float* at, int count) { return _mm512_maskz_loadu_ps(first(count), at); }
  static Register broadcast(const float* at) { return _mm512_set1_ps(*at); }
  static Register add(Register a, Register b) { return a + b; }
  static Register multiply_add(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
  static Register relu(Register x) { return x < zero() ? zero() : x; }
  static void store(float* at, Register x) { _mm512_storeu_ps(at, x); }
  static void store_first(float* at, Register x, int count) { _mm512_mask_storeu_ps(at, first(count), x); }
};

constexpr TileKernels kernels = kernels_of<Avx512>();

}  // namespace

const TileKernels& avx512_tile_kernels() { return kernels; }

}  // namespace parconv::direct
#endif
