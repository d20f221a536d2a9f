// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/cpu_activation.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "compute/cpu/cpu_threads.hpp"
#include "parconv/model/formulas.hpp"
#include "parconv/tensor/cpu_dispatch.hpp"

namespace parconv::cpu {
namespace {

constexpr std::size_t block_elems = 16;

/// data = function(data), block by block: every element uses the same instructions.
template <class Function>
PARCONV_FORMULA void for_blocks(std::span<float> data, Function function) {
  for (std::size_t first = 0; first < data.size(); first += block_elems)
    for (std::size_t k = first; k < first + block_elems; ++k) data[k] = function(data[k]);
}

/// Precondition: `data` has whole blocks.
PARCONV_FOR_EVERY_CPU
void activate_blocks(std::span<float> data, const Activation& activation) {
  with_formula(activation, [=](auto formula) PARCONV_ALWAYS_INLINE { for_blocks(data, formula); });
}

}  // namespace

bool is_smooth(ActivationKind kind) { return kind >= ActivationKind::Sigmoid; }

void activate_smoothly(std::span<float> values, const Activation& activation) {
  const std::size_t whole = values.size() / block_elems * block_elems;
  activate_blocks(values.first(whole), activation);
  const std::span<float> rest = values.subspan(whole);
  if (rest.empty()) return;
  std::array<float, block_elems> block{};
  std::copy(rest.begin(), rest.end(), block.begin());
  activate_blocks(block, activation);
  std::copy_n(block.begin(), rest.size(), rest.begin());
}

void activate_operand(float* data, const Extents& extents, const Extents& strides, const Activation& activation, int threads) {
  const RowShape shape{.pixels = extents[Axis::W], .channels = extents[Axis::C]};
  const index_t depth = extents[Axis::D], height = extents[Axis::H], rows = extents[Axis::N] * depth * height;
  const int used = threads_for(rows, volume(extents), {.count = threads});
  const auto work = [&](int thread) {
    const Interval own = equal_part(rows, thread, used);
    for (index_t k = own.lo; k < own.hi; ++k) {
      const index_t n = k / height / depth, d = k / height % depth, h = k % height;
      float* const row = data + n * strides[Axis::N] + d * strides[Axis::D] + h * strides[Axis::H];
      activate_row({row, strides[Axis::W]}, shape, activation);
    }
  };
  on_threads(used, std::cref(work));
}

}  // namespace parconv::cpu
