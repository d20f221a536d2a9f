// SPDX-License-Identifier: Apache-2.0
// Transposition between planes of channels and pixels.
#pragma once

#include <cstddef>

#include "parconv/core/types.hpp"

namespace parconv {

/// Numbers of 1, 2 or 4 bytes: number k of line i is at data + i * pitch_bytes + k * elem_bytes.
template <class Byte>
struct Lines {
  Byte* data = nullptr;
  index_t pitch_bytes = 0;
};

/// The numbers that are transposed.
struct PixelBlock {
  index_t channels = 0;
  index_t pixels = 0;
  std::size_t elem_bytes = 4;
};

/// Number c of line p of `pixels` = number p of line c of `planes`. No overlap; any alignment.
void pixels_from_planes(Lines<const std::byte> planes, Lines<std::byte> pixels, const PixelBlock& block);

/// Number p of line c of `planes` = number c of line p of `pixels`, of 2 or 4 bytes. No overlap; any alignment.
void planes_from_pixels(Lines<const std::byte> pixels, Lines<std::byte> planes, const PixelBlock& block);

}  // namespace parconv
