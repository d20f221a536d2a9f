// SPDX-License-Identifier: Apache-2.0
// Numbers of results in other types.
#pragma once

#include <span>

#include "parconv/core/types.hpp"

namespace parconv {

/// The numbers in f32, f16, bf16, u8 or i16, at any alignment, each rounded to nearest, halves to even. Larger numbers become
/// infinite in f16 and bf16, and the nearest end of the range of integers, where a NaN becomes 0. Precondition: `results` has
/// the bytes of as many elements.
void round_numbers(std::span<const float> numbers, DType type, std::span<std::byte> results);

}  // namespace parconv
