// SPDX-License-Identifier: Apache-2.0
// Options of convolutions on GPUs.
#pragma once

#include <cstddef>
#include <memory>

#include "parconv/compute/conv_algorithm.hpp"

namespace parconv {

/// The precision of f32 products on a GPU: full, or with factors rounded to 10 mantissa bits (TF32), which is several times as
/// fast.
enum class F32Products { Whole, Tf32 };

/// How a convolution algorithm is chosen: the first of the library's heuristics, the fastest of those recommended (timed during
/// prepare, so ranks may choose differently), or the first that sums small integers exactly.
enum class ConvAlgorithmChoice { Heuristic, Timed, Exact };

/// Options of backends for GPUs.
struct GpuOptions {
  F32Products f32_products = F32Products::Whole;
  /// The rule for calls without an entry in `choices`.
  ConvAlgorithmChoice conv_algorithms = ConvAlgorithmChoice::Heuristic;
  /// Algorithms chosen earlier, by agree_on_conv_algorithms or in another run. May be null.
  std::shared_ptr<const ConvAlgorithms> choices{};
  /// Multiprocessors that convolutions leave free for messages, where the library has a suitable engine.
  int multiprocessors_left = 0;
  /// Most workspace per convolution.
  std::size_t most_workspace_bytes = std::size_t{1} << 30;
};

}  // namespace parconv
