// SPDX-License-Identifier: Apache-2.0
#ifdef __x86_64__
#include <immintrin.h>

#include "compute/direct/tiles/tile_kernels.hpp"

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
  static Register filled(float x) { return _mm512_set1_ps(x); }
  static Register broadcast(const float* at) { return _mm512_set1_ps(*at); }
  static Register add(Register a, Register b) { return a + b; }
  static Register multiply_add(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
  static Register raise(Register x, Register a) { return x < a ? a : x; }
  static Register lower(Register x, Register a) { return x > a ? a : x; }
  static Register scale_negative(Register x, Register a) { return x < zero() ? a * x : x; }
  static void store(float* at, Register x) { _mm512_storeu_ps(at, x); }
  static void store_first(float* at, Register x, int count) { _mm512_mask_storeu_ps(at, first(count), x); }

  /// Masks of whole vectors: GCC 12 warns of uninitialized registers in the functions without.
  static constexpr __mmask16 all = 0xffff;

  template <ElementType type>
  static Register widen(const std::byte* at) {
    if constexpr (type == ElementType::F32) return load(floats_at(at));
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    if constexpr (type == ElementType::F16) return _mm512_maskz_cvtph_ps(all, bits);
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(all, _mm512_maskz_cvtepu16_epi32(all, bits), 16));
  }
  template <ElementType type>
  static void narrow(std::byte* at, Register x) {
    if constexpr (type == ElementType::F32) return store(floats_at(at), x);
    auto* const to = reinterpret_cast<__m256i*>(at);
    if constexpr (type == ElementType::F16)
      _mm256_storeu_si256(to, _mm512_maskz_cvtps_ph(all, x, _MM_FROUND_TO_NEAREST_INT));
    else
      _mm256_storeu_si256(to, bfloat16(x));
  }
  /// As under AVX2.
  static __m256i bfloat16(Register x) {
    const __m512i bits = _mm512_castps_si512(x), high = _mm512_maskz_srli_epi32(all, bits, 16);
    const __m512i half = _mm512_add_epi32(_mm512_and_si512(high, _mm512_set1_epi32(1)), _mm512_set1_epi32(0x7fff));
    const __m512i rounded = _mm512_maskz_srli_epi32(all, _mm512_add_epi32(bits, half), 16);
    const __m512i nan = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
    return _mm512_maskz_cvtepi32_epi16(all, _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan));
  }
};

constexpr TileKernels kernels = kernels_of<Avx512>();

}  // namespace

const TileKernels& avx512_tile_kernels() { return kernels; }

}  // namespace parconv::direct
#endif
