// SPDX-License-Identifier: Apache-2.0
#ifdef __x86_64__
#include <immintrin.h>

#include "compute/direct/tile_kernels.hpp"

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
  static Register broadcast(const float* at) { return _mm256_broadcast_ss(at); }
  static Register add(Register a, Register b) { return a + b; }
  static Register multiply_add(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
  /// x < 0 ? 0 : x: of a NaN or a pair of zeros, max returns the second operand.
  static Register relu(Register x) { return _mm256_max_ps(zero(), x); }
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
};

constexpr TileKernels kernels = kernels_of<Avx2>();

}  // namespace

const TileKernels& avx2_tile_kernels() { return kernels; }

}  // namespace parconv::direct
#endif
