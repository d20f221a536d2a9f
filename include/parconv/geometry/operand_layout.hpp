// SPDX-License-Identifier: Apache-2.0
// Memory layout of a box of a tensor.
#pragma once

#include "parconv/core/types.hpp"
#include "parconv/geometry/box.hpp"

namespace parconv {

/// Extents and element strides (of n, c, d, h, w) of a tensor operand.
struct OperandLayout {
  Extents extents{};
  Extents strides{};
  DType type = DType::F32;

  friend bool operator==(const OperandLayout&, const OperandLayout&) = default;
};

/// Layout of box `inner` within a dense channels-last buffer of box `outer`.
OperandLayout layout_within(const Box& inner, const Box& outer, DType type = DType::F32);

/// Element offset of the first element of `inner` in a dense channels-last buffer of `outer`.
index_t offset_within(const Box& inner, const Box& outer);

/// True if the operand is contiguous in channels-last order (n, d, h, w, c from slowest to fastest).
bool is_dense(const OperandLayout& layout);
/// True if each sample is contiguous in channels-last order; the pitch between samples may be larger.
bool is_dense_per_sample(const OperandLayout& layout);

}  // namespace parconv
