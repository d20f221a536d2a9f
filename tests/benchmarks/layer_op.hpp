// A layer as a call of a backend: the convolution with bias and ReLU.
#pragma once

#include "benchmarks/layer_list.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv::bench {

/// n, c, d, h, w of `n` samples; 2-D layers have one d.
Extents extents_of(const Layer& layer, index_t n, index_t channels, index_t edge);

Window window_of(const Layer& layer);

/// Dense operands of `type`. `bias` has one number per output channel.
LocalOp local_op_of(const Layer& layer, const std::vector<float>& bias, index_t n = 1, DType type = DType::F32);

}  // namespace parconv::bench
