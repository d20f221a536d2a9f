// Numbers as elements of any type, one after the other.
#pragma once

#include <span>

#include "device/elements.hpp"
#include "parconv/tensor/aligned.hpp"

namespace parconv {

inline AlignedBytes dense_elements(std::span<const float> numbers, DType type) {
  AlignedBytes bytes(numbers.size() * size_of(type));
  for (std::size_t k = 0; k < numbers.size(); ++k)
    store_dense<1>({.data = bytes.data(), .type = type}, static_cast<index_t>(k), Lanes<1>{{numbers[k]}});
  return bytes;
}

}  // namespace parconv
