// SPDX-License-Identifier: Apache-2.0
// The inner kernels of convolutions: a tile of output pixels times a block of output channels, all sums in registers.
//
// This header and those of the kernels use no function of the standard library: they are compiled for several instruction
// sets, and the linker keeps only one copy of an inline function, which might then not run on every CPU.
#pragma once

#include <cstddef>

#include "compute/direct/instruction_set.hpp"

namespace parconv::direct {

/// Products of consecutive source elements and consecutive rows of weights, taken one after the other.
struct Run {
  std::ptrdiff_t src_bytes = 0;  ///< the first element, from a pixel's address
  std::ptrdiff_t row = 0;        ///< the first row of weights
  std::ptrdiff_t length = 0;
};

/// The next runs of a tile that form one leaf, and how many joins follow it: see joins_after_leaves.
struct Leaf {
  int num_runs = 0;
  int num_joins = 0;
};

/// Partial sums on the stack at most: parconv::most_open_sums.
inline constexpr int most_open_sums = 7;

/// The types of stored elements.
enum class ElementType { F32, BF16, F16 };
inline constexpr int num_element_types = 3;

/// The activations that need no formula: those of parconv/model/operators.hpp.
enum class TileActivation { None, Relu, LeakyRelu, Clip };

/// Tiles of one size on f32 sources. Each of the arrays of addresses has one entry per pixel, tile after tile.
struct TileCall {
  int num_tiles = 1;
  const std::byte* const* src = nullptr;
  std::byte* const* dst = nullptr;
  const std::byte* const* residual = nullptr;  ///< null: there is none
  std::ptrdiff_t src_bytes = 0;                ///< the first source channel, from the addresses in src
  std::ptrdiff_t dst_bytes = 0;                ///< the first output channel, from the addresses in dst
  std::ptrdiff_t residual_bytes = 0;
  ElementType dst_type = ElementType::F32;
  ElementType residual_type = ElementType::F32;
  const Run* runs = nullptr;
  const Leaf* leaves = nullptr;
  int num_leaves = 1;
  const float* weights = nullptr;  ///< rows of the block's padded width
  std::ptrdiff_t pitch = 0;        ///< elements from row to row; read by channelwise kernels only
  const float* bias = nullptr;     ///< null: there is none; else as many as the block's padded width
  int channels = 0;                ///< outputs of the block
  TileActivation activation = TileActivation::None;
  float alpha = 0;               ///< LeakyRelu: the slope below 0; Clip: the lower bound
  float beta = 0;                ///< Clip: the upper bound
  bool prefetches_next = false;  ///< brings the sources of the next tile to the cache; src has entries of a tile beyond the last
  const std::byte* next_weights = nullptr;  ///< to be brought to the cache; null: none
  int num_weight_lines = 0;                 ///< of them, for each 16 rows of weights of a tile
};

using TileKernel = void (*)(const TileCall&);

/// Finished f32 results of pixels in memory, and the address of each pixel in an operand of any type.
struct StoreCall {
  const float* results = nullptr;
  std::ptrdiff_t pitch = 0;  ///< results from pixel to pixel
  std::byte* const* dst = nullptr;
  std::ptrdiff_t dst_bytes = 0;  ///< the first channel, from the addresses
  std::ptrdiff_t num_pixels = 0;
  std::ptrdiff_t channels = 0;
};

/// Conversions of elements of one type, with the bits of parconv/tensor/half.hpp.
struct ElementKernels {
  void (*widen)(const std::byte* src, float* dst, std::ptrdiff_t count) = nullptr;
  void (*store)(const StoreCall&) = nullptr;
};

inline constexpr int most_vectors = 4;
inline constexpr int most_pixels = 14;

/// The kernels for one instruction set.
struct TileKernels {
  std::ptrdiff_t width = 0;         ///< floats of a vector
  std::ptrdiff_t most_vectors = 0;  ///< vectors of a block
  /// [vectors][pixels], null beyond num_pixels[vectors]: sums over channels and taps.
  TileKernel sums[direct::most_vectors + 1][most_pixels + 1] = {};
  int num_pixels[direct::most_vectors + 1] = {};
  /// [pixels]: every output channel sums over the taps of the input channel of the same number.
  TileKernel channelwise[most_pixels + 1] = {};
  int num_channelwise_pixels = 0;
  ElementKernels elements[num_element_types] = {};  ///< by ElementType
};

const TileKernels& tile_kernels(InstructionSet set);

const TileKernels& portable_tile_kernels();
const TileKernels& avx2_tile_kernels();
const TileKernels& avx512_tile_kernels();

}  // namespace parconv::direct
