// SPDX-License-Identifier: Apache-2.0
// Contiguous elements of any type.
#pragma once

#include <span>

#include "parconv/tensor/aligned.hpp"
#include "parconv/tensor/elements.hpp"

namespace parconv {

inline AlignedBytes dense_elements(std::span<const float> numbers, DType type) {
  AlignedBytes bytes(numbers.size() * size_of(type));
  for (std::size_t k = 0; k < numbers.size(); ++k)
    store_dense<1>({.data = bytes.data(), .type = type}, static_cast<index_t>(k), ChannelVector<1>{{numbers[k]}});
  return bytes;
}

}  // namespace parconv
