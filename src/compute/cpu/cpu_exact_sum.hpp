// SPDX-License-Identifier: Apache-2.0
// Exact sums of many numbers at the speed of plain ones.
#pragma once

#include <span>

#include "parconv/tensor/exact_sum.hpp"

namespace parconv::cpu {

/// sums[c] += sum over k of taps[k][c].
void add_taps(std::span<const float* const> taps, std::span<ExactSum> sums);

/// sum += all numbers.
void add_all(std::span<const float> numbers, ExactSum& sum);

}  // namespace parconv::cpu
