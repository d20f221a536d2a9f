// SPDX-License-Identifier: Apache-2.0
// Conversion between activation types.
#include <cstdint>

#include "parconv/core/error.hpp"
#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/cpu_dispatch.hpp"
#include "parconv/tensor/half.hpp"
#include "parconv/tensor/loops.hpp"

namespace parconv {
namespace {

/// Loops in elements.
LoopNest element_loops(const OperandLayout& src, const OperandLayout& dst) {
  std::array<Loop, num_axes> loops;
  for (std::size_t k = 0; k < num_axes; ++k) {
    const Axis axis = memory_axes[k];
    loops[k] = {.extent = src.extents[axis], .src_stride = src.strides[axis], .dst_stride = dst.strides[axis]};
  }
  return LoopNest(loops);
}

/// Bit patterns of f16 or bf16, with their conversion to f32.
struct Half {
  std::uint16_t bits;

  operator float() const { return float_from_half(bits); }
  explicit Half(float value) : bits(half_from_float(value)) {}
};
struct Bfloat16 {
  std::uint16_t bits;

  operator float() const { return float_from_bfloat16(bits); }
  explicit Bfloat16(float value) : bits(bfloat16_from_float(value)) {}
};

template <class From, class To>
void convert_run(std::span<const From> values, std::span<To> results) {
  for (std::size_t k = 0; k < values.size(); ++k) results[k] = static_cast<To>(values[k]);
}
void convert_run(std::span<const float> values, std::span<Bfloat16> results) {
  bfloat16_from_floats(values, {&results.data()->bits, results.size()});
}
void convert_run(std::span<const Bfloat16> values, std::span<float> results) {
  floats_from_bfloat16({&values.data()->bits, values.size()}, results);
}
PARCONV_FOR_EVERY_CPU
void convert_run(std::span<const float> values, std::span<Half> results) {
  const float* const from = values.data();
  std::uint16_t* const to = &results.data()->bits;
  PARCONV_INDEPENDENT
  for (std::size_t k = 0; k < values.size(); ++k) to[k] = half_from_float(from[k]);
}
PARCONV_FOR_EVERY_CPU
void convert_run(std::span<const Half> values, std::span<float> results) {
  const std::uint16_t* const from = &values.data()->bits;
  float* const to = results.data();
  PARCONV_INDEPENDENT
  for (std::size_t k = 0; k < values.size(); ++k) to[k] = float_from_half(from[k]);
}

template <class From, class To>
void convert_loop(const From* src, To* dst, const Loop& loop) {
  const auto count = static_cast<std::size_t>(loop.extent);
  if (loop.src_stride == 1 && loop.dst_stride == 1) return convert_run(std::span(src, count), std::span(dst, count));
  for (index_t k = 0; k < loop.extent; ++k) dst[k * loop.dst_stride] = static_cast<To>(src[k * loop.src_stride]);
}

template <class From, class To>
void convert_elements(ConstView src, View dst) {
  LoopNest nest = element_loops(src.layout, dst.layout);
  const Loop fastest = nest.pop_fastest();
  const auto* from = reinterpret_cast<const From*>(src.data);
  auto* to = reinterpret_cast<To*>(dst.data);
  nest.for_each([&](index_t src_elem, index_t dst_elem) { convert_loop(from + src_elem, to + dst_elem, fastest); });
}

}  // namespace

void convert(ConstView src, View dst) {
  const DType from = src.layout.type, to = dst.layout.type;
  if (from == to) return copy(src, dst);
  PARCONV_EXPECT(src.layout.extents == dst.layout.extents, "src ", src.layout.extents, ", dst ", dst.layout.extents);
  const bool has_float = from == DType::F32 || to == DType::F32;
  PARCONV_EXPECT(has_float && is_activation_type(from) && is_activation_type(to), "src ", name_of(from), ", dst ", name_of(to));
  if (volume(src.layout.extents) == 0) return;
  if (from == DType::BF16) return convert_elements<Bfloat16, float>(src, dst);
  if (from == DType::F16) return convert_elements<Half, float>(src, dst);
  if (to == DType::BF16) return convert_elements<float, Bfloat16>(src, dst);
  convert_elements<float, Half>(src, dst);
}

}  // namespace parconv
