// Between the element order of files and models (n, c, d, h, w, any type) and channels-last f32 in memory.
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

/// dst = scaled src. `src` is a dense block of dst's extents with n slowest and w fastest, elements of `src_type` in the
/// machine's byte order at any alignment; `dst` is f32. Integers are converted as they are. Precondition: sizes and types fit.
/// Throws Error(BadData) for a `src_type` other than f32, f64, f16, bf16, u8, i8, u16, i16.
void from_onnx_order(std::span<const std::byte> src, DType src_type, View dst, const InputScaling& scaling = {});

/// dst = src with n slowest and w fastest. `src` is f32; `dst` holds as many elements.
void to_onnx_order(ConstView src, std::span<float> dst);

}  // namespace parconv
