// SPDX-License-Identifier: Apache-2.0
// Axis order of datasets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv::hdf5 {

/// Tensor axis of each dataset axis, slowest first.
struct FileLayout {
  std::vector<Axis> axes{};
  /// ONNX rank of the tensor: 5 with D, 4 with H and W, 3 with one of them, 2 otherwise.
  int ndims = 4;

  friend bool operator==(const FileLayout&, const FileLayout&) = default;
};

/// NCW, NCHW or NCDHW for 3, 4 or 5 axes; empty for other ranks, which have no default.
std::string_view default_layout(std::size_t rank);

/// Parses a permutation of a subset of N, C, D, H, W, case-insensitive; a single spatial axis becomes h. Throws Error(BadData)
/// naming `object` if a letter is unknown or repeated, or if the length is not `rank`.
FileLayout parse_layout(std::string_view text, std::size_t rank, std::string_view object);

/// ONNX layout: n, c, then the spatial axes of a tensor of 1 to 5 dimensions.
FileLayout onnx_layout(int ndims);

/// Tensor extents of dataset dimensions; 1 for axes absent from the layout.
Extents extents_of(const FileLayout& layout, const std::vector<index_t>& dims);

/// True if the axes are in the order n, c, d, h, w.
bool is_onnx_order(const FileLayout& layout);

}  // namespace parconv::hdf5
