// SPDX-License-Identifier: Apache-2.0
#ifdef __x86_64__
#include <immintrin.h>

#include "compute/direct/tiles/tile_kernels.hpp"

namespace parconv::direct {
namespace {

struct Avx2 {
  using Register = __m256;
  static constexpr int width = 8;
  static constexpr int most_vectors = 3;
  static constexpr int channelwise_pixels = 6;
  static constexpr int pixels_of(int vectors) { return vectors == 1 ? 12 : vectors == 2 ? 6 : 4; }

  static __m256i first(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Register zero() { return _mm256_setzero_ps(); }
  static Register load(const float* at) { return _mm256_loadu_ps(at); }
  static Register load_first(const float* at, int count) {
    return count == width ? load(at) : _mm256_maskload_ps(at, first(count));
  }
  static Register filled(float x) { return _mm256_set1_ps(x); }
  static Register broadcast(const float* at) { return _mm256_broadcast_ss(at); }
  static Register add(Register a, Register b) { return a + b; }
  static Register multiply_add(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
  /// Of a NaN or a pair of zeros, max and min return the second operand.
  static Register raise(Register x, Register a) { return _mm256_max_ps(a, x); }
  static Register lower(Register x, Register a) { return _mm256_min_ps(a, x); }
  static Register scale_negative(Register x, Register a) {
    return _mm256_blendv_ps(x, a * x, _mm256_cmp_ps(x, zero(), _CMP_LT_OQ));
  }
  static void store(float* at, Register x) { _mm256_storeu_ps(at, x); }
  /// By halves: masked stores are slow on AMD's CPUs.
  static void store_first(float* at, Register x, int count) {
    if (count == width) return store(at, x);
    __m128 rest = _mm256_castps256_ps128(x);
    if ((count & 4) != 0) {
      _mm_storeu_ps(at, rest);
      rest = _mm256_extractf128_ps(x, 1);
      at += 4;
    }
    if ((count & 2) != 0) {
      _mm_storel_pi(reinterpret_cast<__m64*>(at), rest);
      rest = _mm_movehl_ps(rest, rest);
      at += 2;
    }
    if ((count & 1) != 0) _mm_store_ss(at, rest);
  }

  template <ElementType type>
  static Register widen(const std::byte* at) {
    if constexpr (type == ElementType::F32) return load(floats_at(at));
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    if constexpr (type == ElementType::F16) return _mm256_cvtph_ps(bits);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  template <ElementType type>
  static void narrow(std::byte* at, Register x) {
    if constexpr (type == ElementType::F32) return store(floats_at(at), x);
    auto* const to = reinterpret_cast<__m128i*>(at);
    if constexpr (type == ElementType::F16) return _mm_storeu_si128(to, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128(to, bfloat16(x));
  }
  /// To the nearest, ties to even: half a unit of the result, less if its last bit is 0, is added and the rest cut off.
  static __m128i bfloat16(Register x) {
    const __m256i bits = _mm256_castps_si256(x), high = _mm256_srli_epi32(bits, 16);
    const __m256i half = _mm256_add_epi32(_mm256_and_si256(high, _mm256_set1_epi32(1)), _mm256_set1_epi32(0x7fff));
    const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
    const __m256i nan = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i result = _mm256_blendv_epi8(rounded, nan, is_nan);
    return _mm_packus_epi32(_mm256_castsi256_si128(result), _mm256_extracti128_si256(result, 1));
  }
};

constexpr TileKernels kernels = kernels_of<Avx2>();

}  // namespace

const TileKernels& avx2_tile_kernels() { return kernels; }

}  // namespace parconv::direct
#endif
