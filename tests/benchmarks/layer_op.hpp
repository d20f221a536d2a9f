// SPDX-License-Identifier: Apache-2.0
// A layer as a backend call: convolution with bias and ReLU.
#pragma once

#include "benchmarks/layer_list.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv::bench {

/// Extents of `n` samples; d = 1 in 2-D layers.
Extents extents_of(const Layer& layer, index_t n, index_t channels, index_t edge);

Window window_of(const Layer& layer);

/// Dense operands of `type`. `bias` has one value per output channel.
LocalOp local_op_of(const Layer& layer, const std::vector<float>& bias, index_t n = 1, DType type = DType::F32);

}  // namespace parconv::bench
