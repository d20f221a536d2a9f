// SPDX-License-Identifier: Apache-2.0
// Conversion between the element order of files and models (n, c, d, h, w, any type) and channels-last f32, f16 or bf16 in
// memory, and between floating-point types.
#pragma once

#include <span>
#include <vector>

#include "parconv/tensor/threads.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {

/// Normalisation of input elements x of channel c: (x * scale - mean[c]) / std[c], in f32 and in this order.
struct InputScaling {
  float scale = 1;
  /// One value per channel of the converted block, or empty (0).
  std::vector<float> mean{};
  /// One value per channel of the converted block, or empty (1).
  std::vector<float> std{};

  friend bool operator==(const InputScaling&, const InputScaling&) = default;
};

/// True for the types in which activations are stored.
constexpr bool is_activation_type(DType type) { return type == DType::F32 || type == DType::F16 || type == DType::BF16; }

/// dst = src, element by element, rounded to nearest even in dst's type, by `threads`. Precondition: same extents, no overlap;
/// types are equal, or one is f32 and the other an activation type.
void convert(ConstView src, View dst, const ThreadShare& threads = {});

/// Whether results stay in the caches, or are written past them, since they are too large to be found there later.
enum class Caching { Kept, Bypassed };

struct ConversionOptions {
  ThreadShare threads{};
  Caching caching = Caching::Kept;
};

/// dst = scaled src. `src` is a dense block of dst's extents with n slowest and w fastest, elements of `src_type` in native
/// byte order at any alignment; `dst` has an activation type. Integers are not normalised to [0, 1]. Scaling is computed in f32
/// and the result rounded once. Precondition: sizes and types match. Throws Error(BadData) for a `src_type` other than f32,
/// f64, f16, bf16, u8, i8, u16, i16.
void from_onnx_order(std::span<const std::byte> src, DType src_type, View dst, const InputScaling& scaling = {},
                     const ConversionOptions& options = {});

/// dst = src with n slowest and w fastest, by `threads`. `src` has an activation type. Precondition: `dst` has as many elements
/// as `src`.
void to_onnx_order(ConstView src, std::span<float> dst, const ThreadShare& threads = {});

}  // namespace parconv
