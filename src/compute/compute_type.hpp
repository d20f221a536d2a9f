// SPDX-License-Identifier: Apache-2.0
// The type in which a convolution computes.
#pragma once

#include <span>

#include "compute/main_index.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv {

/// The compute type of `op`, which is the type of its source: weights are rounded to it, products are accumulated in f32.
/// Precondition: op.kind has a filter.
inline DType compute_type(const LocalOp& op) { return op.srcs[main_index(op)].type; }

/// Rounds weights to `type`.
inline void round_weights(std::span<float> weights, DType type) {
  if (type == DType::F32) return;
  std::byte memory[sizeof(float)];
  for (float& weight : weights) {
    store_dense<1>({.data = memory, .type = type}, 0, ChannelVector<1>{{weight}});
    weight = load_one({.data = memory, .type = type}, 0);
  }
}

/// Rounds weights to the compute type of `op`.
inline void round_weights(std::span<float> weights, const LocalOp& op) { round_weights(weights, compute_type(op)); }

}  // namespace parconv
