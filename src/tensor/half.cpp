// SPDX-License-Identifier: Apache-2.0
#include "parconv/tensor/half.hpp"

#include "parconv/core/error.hpp"
#include "parconv/tensor/cpu_dispatch.hpp"

namespace parconv {
namespace {

PARCONV_FOR_EVERY_CPU
void widen(const std::uint16_t* values, float* results, std::size_t count) {
  PARCONV_INDEPENDENT
  for (std::size_t k = 0; k < count; ++k) results[k] = float_from_bfloat16(values[k]);
}

PARCONV_FOR_EVERY_CPU
void narrow(const float* values, std::uint16_t* results, std::size_t count) {
  PARCONV_INDEPENDENT
  for (std::size_t k = 0; k < count; ++k) results[k] = bfloat16_from_float(values[k]);
}

}  // namespace

void floats_from_bfloat16(std::span<const std::uint16_t> values, std::span<float> results) {
  PARCONV_EXPECT(values.size() == results.size(), values.size(), " for ", results.size());
  widen(values.data(), results.data(), results.size());
}

void bfloat16_from_floats(std::span<const float> values, std::span<std::uint16_t> results) {
  PARCONV_EXPECT(values.size() == results.size(), values.size(), " for ", results.size());
  narrow(values.data(), results.data(), results.size());
}

}  // namespace parconv
