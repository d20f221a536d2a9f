// SPDX-License-Identifier: Apache-2.0
// The kernels of tile.hpp for any vectors. A class `Vector` has a type Register of `width` floats, and static functions on it:
// raise(x, a) is x < a ? a : x, lower(x, a) is x > a ? a : x, and scale_negative(x, a) is x < 0 ? a * x : x.
#pragma once

#include "compute/direct/tiles/element_kernels.hpp"
#include "compute/direct/tiles/tile.hpp"

#define PARCONV_UNROLL _Pragma("GCC unroll 16")
/// Inlined at once: GCC removes calls of functions that only prefetch.
#define PARCONV_INLINE_LAMBDA __attribute__((always_inline))

namespace parconv::direct {

struct Interval {
  std::ptrdiff_t begin = 0;
  std::ptrdiff_t end = 0;
};

template <class Vector, TileActivation activation>
[[gnu::always_inline]] inline typename Vector::Register activated(typename Vector::Register x, typename Vector::Register alpha,
                                                                  typename Vector::Register beta) {
  if constexpr (activation == TileActivation::Relu) return Vector::raise(x, Vector::zero());
  if constexpr (activation == TileActivation::LeakyRelu) return Vector::scale_negative(x, alpha);
  if constexpr (activation == TileActivation::Clip) return Vector::lower(Vector::raise(x, alpha), beta);
  return x;
}

/// A block of sums, kept in registers.
template <class Vector, int pixels, int vectors>
struct Sums {
  typename Vector::Register at[pixels][vectors];

  [[gnu::always_inline]] void clear() {
    PARCONV_UNROLL for (int m = 0; m < pixels; ++m) PARCONV_UNROLL for (int j = 0; j < vectors; ++j) at[m][j] = Vector::zero();
  }

  /// at = a + at.
  [[gnu::always_inline]] void add(const Sums& a) {
    PARCONV_UNROLL for (int m = 0; m < pixels; ++m) PARCONV_UNROLL for (int j = 0; j < vectors; ++j) at[m][j] =
        Vector::add(a.at[m][j], at[m][j]);
  }

  /// Adds a row of numbers to the sums of each pixel.
  [[gnu::always_inline]] void add_to_all(const float* row) {
    PARCONV_UNROLL for (int j = 0; j < vectors; ++j) {
      const typename Vector::Register x = Vector::load(row + j * Vector::width);
      PARCONV_UNROLL for (int m = 0; m < pixels; ++m) at[m][j] = Vector::add(at[m][j], x);
    }
  }

  /// Adds an f32 residual.
  [[gnu::always_inline]] void add_residual(const TileCall& call) {
    PARCONV_UNROLL for (int m = 0; m < pixels; ++m) {
      const float* const row = reinterpret_cast<const float*>(call.residual[m] + call.residual_bytes);
      PARCONV_UNROLL for (int j = 0; j < vectors; ++j) at[m][j] = Vector::add(at[m][j], Vector::load(row + j * Vector::width));
    }
  }

  template <TileActivation activation>
  [[gnu::always_inline]] void activate(const TileCall& call) {
    const typename Vector::Register alpha = Vector::filled(call.alpha), beta = Vector::filled(call.beta);
    PARCONV_UNROLL for (int m = 0; m < pixels; ++m) PARCONV_UNROLL for (int j = 0; j < vectors; ++j) at[m][j] =
        activated<Vector, activation>(at[m][j], alpha, beta);
  }

  /// The addresses are read first: a store of a vector may change anything.
  template <ElementType type>
  [[gnu::always_inline]] void store(const TileCall& call) const {
    std::byte* dst[pixels];
    PARCONV_UNROLL for (int m = 0; m < pixels; ++m) dst[m] = call.dst[m] + call.dst_bytes;
    PARCONV_UNROLL for (int m = 0; m < pixels; ++m) PARCONV_UNROLL for (int j = 0; j < vectors; ++j)
        Vector::template narrow<type>(dst[m] + j * Vector::width * size_of(type), at[m][j]);
  }

  /// The products of `bytes` of each pixel's elements with rows of weights. In variables of its own, which the compiler keeps in
  /// registers even where it keeps the object in memory.
  [[gnu::always_inline]] void add_products(const std::byte* const (&src)[pixels], Interval bytes, const float* weights) {
    constexpr std::ptrdiff_t row = vectors * Vector::width;
    typename Vector::Register sum[pixels][vectors];
    PARCONV_UNROLL for (int m = 0; m < pixels; ++m) PARCONV_UNROLL for (int j = 0; j < vectors; ++j) sum[m][j] = at[m][j];
    for (std::ptrdiff_t k = bytes.begin; k < bytes.end; k += sizeof(float), weights += row) {
      typename Vector::Register w[vectors];
      PARCONV_UNROLL for (int j = 0; j < vectors; ++j) w[j] = Vector::load(weights + j * Vector::width);
      PARCONV_UNROLL for (int m = 0; m < pixels; ++m) {
        const typename Vector::Register x = Vector::broadcast(floats_at(src[m] + k));
        PARCONV_UNROLL for (int j = 0; j < vectors; ++j) sum[m][j] = Vector::multiply_add(w[j], x, sum[m][j]);
      }
    }
    PARCONV_UNROLL for (int m = 0; m < pixels; ++m) PARCONV_UNROLL for (int j = 0; j < vectors; ++j) at[m][j] = sum[m][j];
  }

  [[gnu::always_inline]] void add_run(const std::byte* const (&src)[pixels], const float* weights, const Run& run) {
    const std::ptrdiff_t bytes = run.length * static_cast<std::ptrdiff_t>(sizeof(float));
    add_products(src, {run.src_bytes, run.src_bytes + bytes}, weights + run.row * vectors * Vector::width);
  }

  /// The same, with a call of prefetch(bytes) for each line of source elements.
  template <class Prefetch>
  [[gnu::always_inline]] void add_run(const std::byte* const (&src)[pixels], const float* weights, const Run& run,
                                      const Prefetch& prefetch) {
    constexpr std::ptrdiff_t line_bytes = 64, row = vectors * Vector::width, floats = line_bytes / sizeof(float);
    const std::ptrdiff_t end = run.src_bytes + run.length * static_cast<std::ptrdiff_t>(sizeof(float));
    weights += run.row * row;
    for (std::ptrdiff_t k = run.src_bytes; k < end; k += line_bytes, weights += floats * row) {
      prefetch(k);
      add_products(src, {k, k + line_bytes < end ? k + line_bytes : end}, weights);
    }
  }
};

template <class Vector>
[[gnu::always_inline]] inline typename Vector::Register activated(typename Vector::Register x, const TileCall& call) {
  const typename Vector::Register alpha = Vector::filled(call.alpha), beta = Vector::filled(call.beta);
  if (call.activation == TileActivation::Relu) return activated<Vector, TileActivation::Relu>(x, alpha, beta);
  if (call.activation == TileActivation::LeakyRelu) return activated<Vector, TileActivation::LeakyRelu>(x, alpha, beta);
  if (call.activation == TileActivation::Clip) return activated<Vector, TileActivation::Clip>(x, alpha, beta);
  return x;
}

template <class Vector, int pixels, int vectors>
[[gnu::always_inline]] inline void activate(const TileCall& call, Sums<Vector, pixels, vectors>& sums) {
  if (call.activation == TileActivation::Relu) sums.template activate<TileActivation::Relu>(call);
  if (call.activation == TileActivation::LeakyRelu) sums.template activate<TileActivation::LeakyRelu>(call);
  if (call.activation == TileActivation::Clip) sums.template activate<TileActivation::Clip>(call);
}

/// The epilogue of one vector, of which `count` channels are valid: + bias, + residual, activation, store.
template <class Vector>
[[gnu::always_inline]] inline void finish(typename Vector::Register sum, const TileCall& call, int pixel, std::ptrdiff_t channel,
                                          int count) {
  if (call.bias != nullptr) sum = Vector::add(sum, Vector::load(call.bias + channel));
  if (call.residual != nullptr) {
    const std::byte* const at = call.residual[pixel] + call.residual_bytes + channel * size_of(call.residual_type);
    sum = Vector::add(sum, load_elements<Vector>(call.residual_type, at, count));
  }
  sum = activated<Vector>(sum, call);
  std::byte* const at = call.dst[pixel] + call.dst_bytes + channel * size_of(call.dst_type);
  store_first<Vector>(call.dst_type, at, sum, count);
}

template <class Vector>
[[gnu::always_inline]] inline int valid_of(const TileCall& call, std::ptrdiff_t channel) {
  const std::ptrdiff_t left = call.channels - channel;
  return left < Vector::width ? static_cast<int>(left) : Vector::width;
}

/// The epilogue of a block whose channels are all valid, with an f32 residual or none.
template <class Vector, int pixels, int vectors>
[[gnu::always_inline]] inline void finish_whole_block(const TileCall& call, Sums<Vector, pixels, vectors>& sums) {
  if (call.bias != nullptr) sums.add_to_all(call.bias);
  if (call.residual != nullptr) sums.add_residual(call);
  activate(call, sums);
  if (call.dst_type == ElementType::F32) return sums.template store<ElementType::F32>(call);
  if (call.dst_type == ElementType::BF16) return sums.template store<ElementType::BF16>(call);
  sums.template store<ElementType::F16>(call);
}

template <class Vector, int pixels, int vectors>
[[gnu::always_inline]] inline void finish_block(const TileCall& call, Sums<Vector, pixels, vectors>& sums) {
  const bool adds_in_registers = call.residual == nullptr || call.residual_type == ElementType::F32;
  if (adds_in_registers && call.channels == vectors * Vector::width) return finish_whole_block(call, sums);
  const Sums<Vector, pixels, vectors> stored = sums;  // in memory: the loops are not unrolled
  for (int m = 0; m < pixels; ++m)
    for (int j = 0; j * Vector::width < call.channels; ++j)
      finish<Vector>(stored.at[m][j], call, m, j * Vector::width, valid_of<Vector>(call, j * Vector::width));
}

/// A store to a line that is not in the cache takes long.
template <int pixels, int most_bytes>
[[gnu::always_inline]] inline void prefetch_results(const TileCall& call) {
  constexpr int line_bytes = 64;
  PARCONV_UNROLL for (int m = 0; m < pixels; ++m) PARCONV_UNROLL for (int at = 0; at < most_bytes; at += line_bytes)
      __builtin_prefetch(call.dst[m] + call.dst_bytes + at, 1);
}

template <int pixels, int most_bytes>
[[gnu::always_inline]] inline void prefetch_residual(const TileCall& call) {
  constexpr int line_bytes = 64;
  PARCONV_UNROLL for (int m = 0; m < pixels; ++m) PARCONV_UNROLL for (int at = 0; at < most_bytes; at += line_bytes)
      __builtin_prefetch(call.residual[m] + call.residual_bytes + at);
}

/// What a tile brings to the cache little by little, as hardware does not foresee it.
enum class Prefetch { None, Sources, Weights };

template <class Vector, int pixels, int vectors, Prefetch prefetch>
[[gnu::always_inline]] inline void compute_tile(TileCall& call) {
  constexpr int block_bytes = vectors * Vector::width * static_cast<int>(sizeof(float));
  prefetch_results<pixels, block_bytes>(call);
  if (call.residual != nullptr) prefetch_residual<pixels, block_bytes>(call);
  const std::byte* src[pixels];
  PARCONV_UNROLL for (int m = 0; m < pixels; ++m) src[m] = call.src[m] + call.src_bytes;
  Sums<Vector, pixels, vectors> sums;
  Sums<Vector, pixels, vectors> open[most_open_sums];
  int num_open = 0;
  const Run* run = call.runs;
  int k = 0;
  do {
    sums.clear();
    const Run* const end = run + call.leaves[k].num_runs;
    for (; run != end; ++run) {
      if constexpr (prefetch == Prefetch::None) sums.add_run(src, call.weights, *run);
      if constexpr (prefetch == Prefetch::Sources)
        sums.add_run(src, call.weights, *run, [&](std::ptrdiff_t bytes) PARCONV_INLINE_LAMBDA {
          PARCONV_UNROLL for (int m = 0; m < pixels; ++m) __builtin_prefetch(call.src[pixels + m] + call.src_bytes + bytes);
        });
      if constexpr (prefetch == Prefetch::Weights)
        sums.add_run(src, call.weights, *run, [&](std::ptrdiff_t) PARCONV_INLINE_LAMBDA {
          for (int line = 0; line < call.num_weight_lines; ++line, call.next_weights += 64)
            __builtin_prefetch(call.next_weights, 0, 2);
        });
    }
    for (int join = 0; join < call.leaves[k].num_joins; ++join) sums.add(open[--num_open]);
    if (k + 1 < call.num_leaves) open[num_open++] = sums;
  } while (++k < call.num_leaves);
  finish_block(call, sums);
}

template <class Vector, int pixels, int vectors, Prefetch prefetch>
[[gnu::noinline]] void compute_tiles_of_kind(const TileCall& tiles) {
  TileCall call = tiles;
  for (int tile = 0; tile < tiles.num_tiles; ++tile) {
    compute_tile<Vector, pixels, vectors, prefetch>(call);
    call.src += pixels;
    call.dst += pixels;
    if (call.residual != nullptr) call.residual += pixels;
  }
}

template <class Vector, int pixels, int vectors>
void compute_tiles(const TileCall& tiles) {
  if (tiles.prefetches_next) return compute_tiles_of_kind<Vector, pixels, vectors, Prefetch::Sources>(tiles);
  if (tiles.next_weights != nullptr) return compute_tiles_of_kind<Vector, pixels, vectors, Prefetch::Weights>(tiles);
  compute_tiles_of_kind<Vector, pixels, vectors, Prefetch::None>(tiles);
}

/// The call of some channels of a channelwise call.
[[gnu::always_inline]] inline TileCall channels_of(const TileCall& call, std::ptrdiff_t channel, int count) {
  TileCall part = call;
  part.src_bytes += channel * size_of(ElementType::F32);
  part.dst_bytes += channel * size_of(call.dst_type);
  part.residual_bytes += channel * size_of(call.residual_type);
  part.weights += channel;
  if (part.bias != nullptr) part.bias += channel;
  part.channels = count;
  return part;
}

/// Vectors of channels of each pixel of a tile, the only one perhaps not whole.
template <class Vector, int pixels, int vectors>
[[gnu::always_inline]] inline void compute_channels(const TileCall& call) {
  const std::byte* src[pixels];
  PARCONV_UNROLL for (int m = 0; m < pixels; ++m) src[m] = call.src[m] + call.src_bytes;
  const int count = vectors == 1 ? call.channels : Vector::width;
  Sums<Vector, pixels, vectors> sums;
  sums.clear();
  const Run* const end = call.runs + call.leaves->num_runs;
  for (const Run* run = call.runs; run != end; ++run) {
    const float* const weights = call.weights + run->row * call.pitch;
    PARCONV_UNROLL for (int j = 0; j < vectors; ++j) {
      const typename Vector::Register w = Vector::load(weights + j * Vector::width);
      PARCONV_UNROLL for (int m = 0; m < pixels; ++m) {
        const float* const x = floats_at(src[m] + run->src_bytes) + j * Vector::width;
        sums.at[m][j] = Vector::multiply_add(w, Vector::load_first(x, count), sums.at[m][j]);
      }
    }
  }
  finish_block(call, sums);
}

template <class Vector, int pixels>
[[gnu::always_inline]] inline void compute_channelwise_tile(const TileCall& call) {
  constexpr int vectors = 2, width = vectors * Vector::width;
  std::ptrdiff_t channel = 0;
  for (; channel + width <= call.channels; channel += width)
    compute_channels<Vector, pixels, vectors>(channels_of(call, channel, width));
  for (; channel < call.channels; channel += Vector::width)
    compute_channels<Vector, pixels, 1>(channels_of(call, channel, valid_of<Vector>(call, channel)));
}

template <class Vector, int pixels>
void compute_channelwise_tiles(const TileCall& tiles) {
  TileCall call = tiles;
  for (int tile = 0; tile < tiles.num_tiles; ++tile) {
    compute_channelwise_tile<Vector, pixels>(call);
    call.src += pixels;
    call.dst += pixels;
    if (call.residual != nullptr) call.residual += pixels;
  }
}

template <class Vector, int vectors, int pixels = 1>
constexpr void add_sums(TileKernels& kernels) {
  if constexpr (pixels <= Vector::pixels_of(vectors)) {
    kernels.sums[vectors][pixels] = compute_tiles<Vector, pixels, vectors>;
    kernels.num_pixels[vectors] = pixels;
    add_sums<Vector, vectors, pixels + 1>(kernels);
  }
}

template <class Vector, int pixels = 1>
constexpr void add_channelwise(TileKernels& kernels) {
  if constexpr (pixels <= Vector::channelwise_pixels) {
    kernels.channelwise[pixels] = compute_channelwise_tiles<Vector, pixels>;
    kernels.num_channelwise_pixels = pixels;
    add_channelwise<Vector, pixels + 1>(kernels);
  }
}

template <class Vector>
constexpr TileKernels kernels_of() {
  TileKernels kernels;
  kernels.width = Vector::width;
  kernels.most_vectors = Vector::most_vectors;
  add_sums<Vector, 1>(kernels);
  if constexpr (Vector::most_vectors >= 2) add_sums<Vector, 2>(kernels);
  if constexpr (Vector::most_vectors >= 3) add_sums<Vector, 3>(kernels);
  if constexpr (Vector::most_vectors >= 4) add_sums<Vector, 4>(kernels);
  add_channelwise<Vector>(kernels);
  kernels.elements[0] = element_kernels_of<Vector, ElementType::F32>();
  kernels.elements[1] = element_kernels_of<Vector, ElementType::BF16>();
  kernels.elements[2] = element_kernels_of<Vector, ElementType::F16>();
  return kernels;
}

}  // namespace parconv::direct
