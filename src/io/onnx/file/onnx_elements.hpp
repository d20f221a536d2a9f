// SPDX-License-Identifier: Apache-2.0
// Decoding of little-endian elements.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv {

/// target[i] = element i of `bytes`. Precondition: bytes.size() == target.size() * size_of(type).
void convert_to_float(std::span<const std::byte> bytes, DType type, std::span<float> target);

/// Decodes elements of an integer type. Precondition: `type` is an integer type, and bytes.size() is a multiple of its size.
std::vector<index_t> convert_to_integers(std::span<const std::byte> bytes, DType type);

/// True for integer types.
bool is_integer(DType type);

}  // namespace parconv
