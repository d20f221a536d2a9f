// SPDX-License-Identifier: Apache-2.0
// How many channels are moved and computed on together.
#pragma once

#include <span>

#include "parconv/tensor/elements.hpp"

namespace parconv {

/// How many channels one step may take in all operands, by their strides: 8 if there are 16-bit elements, 4 if all are f32,
/// else 1. An operand of one channel is read number by number and fits any.
int widest_vector(const OperandLayout& dst, std::span<const OperandLayout> srcs);

/// True if `width` channels at `data` can be moved together.
bool is_aligned(const std::byte* data, const OperandLayout& layout, int width);

}  // namespace parconv
