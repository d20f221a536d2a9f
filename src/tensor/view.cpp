// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/view.hpp"

namespace parconv {
namespace {

index_t byte_offset(const Box& inner, const Box& outer, DType type) {
  return offset_within(inner, outer) * static_cast<index_t>(size_of(type));
}

}  // namespace

View view_within(std::byte* data, const Box& inner, const Box& outer, DType type) {
  return {.data = data + byte_offset(inner, outer, type), .layout = layout_within(inner, outer, type)};
}

ConstView view_within(const std::byte* data, const Box& inner, const Box& outer, DType type) {
  return {.data = data + byte_offset(inner, outer, type), .layout = layout_within(inner, outer, type)};
}

}  // namespace parconv
