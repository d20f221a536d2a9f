// Between the element order of files and models (n, c, d, h, w, any type) and channels-last f32, f16 or bf16 in memory, and
// between floating-point types.
#pragma once

#include <span>
#include <vector>

#include "parconv/tensor/view.hpp"

namespace parconv {

/// What is done to every input element x of channel c: (x * scale - mean[c]) / std[c], in f32 and in this order.
struct InputScaling {
  float scale = 1;
  /// One number per channel of the block that is converted, or none (0).
  std::vector<float> mean{};
  /// One number per channel of the block that is converted, or none (1).
  std::vector<float> std{};

  friend bool operator==(const InputScaling&, const InputScaling&) = default;
};

/// True for the types that activations may have in memory.
constexpr bool is_activation_type(DType type) { return type == DType::F32 || type == DType::F16 || type == DType::BF16; }

/// dst = src, element by element; every element is rounded to the nearest number of dst's type, ties to even. Precondition: same
/// extents, no overlap; the types are the same, or one is f32 and the other a type of activations.
void convert(ConstView src, View dst);

/// dst = scaled src. `src` is a dense block of dst's extents with n slowest and w fastest, elements of `src_type` in the
/// machine's byte order at any alignment; `dst` has a type of activations. Integers are converted as they are; scaling is done in
/// f32, and what it gives is rounded once. Precondition: sizes and types fit. Throws Error(BadData) for a `src_type` other than
/// f32, f64, f16, bf16, u8, i8, u16, i16.
void from_onnx_order(std::span<const std::byte> src, DType src_type, View dst, const InputScaling& scaling = {});

/// dst = src with n slowest and w fastest. `src` has a type of activations; `dst` holds as many elements.
void to_onnx_order(ConstView src, std::span<float> dst);

}  // namespace parconv
