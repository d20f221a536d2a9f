// SPDX-License-Identifier: Apache-2.0
// Convolution variants along any number of axes, for cuDNN tests.
#pragma once

#include <vector>

#include "compute/conv/conv_library.hpp"

namespace parconv::test {

inline OperandLayout dense(const Extents& extents, DType type) {
  const Box box = Box::whole(extents);
  return layout_within(box, box, type);
}

/// One convolution variant.
struct Variant {
  const char* name = "";
  WindowAxis axis{};
  index_t groups = 1;
  bool has_bias = false;
  bool has_residual = false;
  Activation activation{};
};

inline void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

inline const std::vector<Variant> variants{
    {.name = "bare", .axis = {.kernel = 3, .pad_lo = 1, .pad_hi = 1}},
    {.name = "pointwise", .axis = {}},
    {.name = "strided", .axis = {.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 1}},
    {.name = "dilated", .axis = {.kernel = 3, .pad_lo = 2, .pad_hi = 2, .dilation = 2}},
    {.name = "padded_at_one_end", .axis = {.kernel = 3, .pad_hi = 2}},
    {.name = "unpadded", .axis = {.kernel = 5}},
    {.name = "grouped", .axis = {.kernel = 3, .pad_lo = 1, .pad_hi = 1}, .groups = 4},
    {.name = "depthwise", .axis = {.kernel = 3, .pad_lo = 1, .pad_hi = 1}, .groups = 16},
    {.name = "bias", .axis = {.kernel = 3, .pad_lo = 1, .pad_hi = 1}, .has_bias = true},
    {.name = "bias_relu", .axis = {.kernel = 3}, .has_bias = true, .activation = {.kind = ActivationKind::Relu}},
    {.name = "residual_relu", .axis = {.kernel = 3}, .has_residual = true, .activation = {.kind = ActivationKind::Relu}},
    {.name = "everything",
     .axis = {.kernel = 3, .stride = 2, .pad_lo = 0, .pad_hi = 1},
     .groups = 2,
     .has_bias = true,
     .has_residual = true,
     .activation = {.kind = ActivationKind::Clip, .alpha = 0, .beta = 6}},
};

/// The variant on 2 samples with 16 channels and extent 12 along each of `ndims` axes.
inline StridedConv conv_of(const Variant& variant, int ndims, DType src_type, DType dst_type) {
  constexpr index_t size = 12, n = 2, channels = 16;
  StridedConv conv{.groups = variant.groups, .has_bias = variant.has_bias, .activation = variant.activation};
  Extents in{{n, channels, 1, 1, 1}}, out = in;
  for (Axis axis : spatial_axes) {
    if ((axis == Axis::D && ndims < 3) || (axis == Axis::W && ndims < 2)) continue;
    conv.window[axis] = variant.axis;
    in[axis] = size;
    out[axis] = variant.axis.output_size(size);
  }
  conv.src = dense(in, src_type);
  conv.dst = dense(out, dst_type);
  if (variant.has_residual) conv.residual = conv.dst;
  return conv;
}

}  // namespace parconv::test
