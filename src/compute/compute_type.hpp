// The type that a convolution computes in.
#pragma once

#include <span>

#include "device/elements.hpp"

namespace parconv {

/// That of its source: weights are rounded to it, products are added up in f32. Precondition: op.kind has a filter.
inline DType compute_type(const LocalOp& op) { return op.srcs[op.finish.residual == 0 ? 1 : 0].type; }

/// Rounds weights to the type that `op` computes in.
inline void round_weights(std::span<float> weights, const LocalOp& op) {
  const DType type = compute_type(op);
  if (type == DType::F32) return;
  std::byte memory[sizeof(float)];
  for (float& weight : weights) {
    store_dense<1>({.data = memory, .type = type}, 0, Lanes<1>{{weight}});
    weight = load_one({.data = memory, .type = type}, 0);
  }
}

}  // namespace parconv
