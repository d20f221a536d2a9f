// SPDX-License-Identifier: Apache-2.0
// Constant data of a model, by reference: each rank reads only the part that it uses.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv {

/// Location of the elements of a constant. Exactly one of three applies: `values` (small data, in row-major ONNX order), a
/// constant `fill`, or `count` little-endian elements of `type` at `offset_bytes` of `file`.
struct ConstantData {
  std::shared_ptr<const std::vector<float>> values{};
  bool is_fill = false;
  float fill = 0;
  std::string file{};
  index_t offset_bytes = 0;
  DType type = DType::F32;
  index_t count = 0;
};

/// The filter of a convolution: element (oc, ic, kd, kh, kw) is `data` at the index  sum of coordinate * stride.
/// Strides rather than a fixed order make a Gemm after Flatten, transposed or not, a convolution over the full extent.
/// Example: 8x4x1x3x3 in ONNX order has strides {36, 9, 9, 3, 1}; element (2, 1, 0, 2, 0) is at index 72 + 9 + 6 = 87.
struct Filter {
  ConstantData data{};
  index_t oc = 0;  ///< all output channels
  index_t ic_per_group = 0;
  std::array<index_t, 3> kernel{1, 1, 1};  ///< kd, kh, kw
  std::array<index_t, 5> strides{};        ///< of oc, ic, kd, kh, kw in elements
  /// One factor per output channel (a folded normalisation, Gemm's alpha), applied as the filter is read; null = 1.
  std::shared_ptr<const std::vector<float>> scale{};
};

/// The part of a filter that a rank uses, in global indices.
struct FilterBox {
  Interval oc{};
  Interval ic{};  ///< within the group
  std::array<Interval, 3> kernel{};

  index_t volume() const { return oc.size() * ic.size() * kernel[0].size() * kernel[1].size() * kernel[2].size(); }
  friend bool operator==(const FilterBox&, const FilterBox&) = default;
};

}  // namespace parconv
