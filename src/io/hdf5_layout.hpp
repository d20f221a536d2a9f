// The order of a data set's axes, and boxes in that order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv::hdf5 {

/// Which tensor axis each axis of a data set is, the slowest first.
struct FileLayout {
  std::vector<Axis> axes{};
  /// ONNX rank of the tensor: 5 with D, 4 with H and W, 3 with one of them, 2 otherwise.
  int ndims = 4;

  friend bool operator==(const FileLayout&, const FileLayout&) = default;
};

/// NCW, NCHW or NCDHW for 3, 4 or 5 axes; empty for other ranks, which need to be told.
std::string_view default_layout(std::size_t rank);

/// The layout from a permutation of a subset of N, C, D, H, W in upper or lower case; a single spatial axis lies along h.
/// Throws Error(BadData) naming `object` if a letter is unknown or repeated, or if there are not `rank` of them.
FileLayout parse_layout(std::string_view text, std::size_t rank, std::string_view object);

/// The layout of ONNX: n, c, then the spatial axes of a tensor of 1 to 5 dimensions.
FileLayout onnx_layout(int ndims);

/// Tensor extents of data set dimensions; 1 where the layout has no axis.
Extents extents_of(const FileLayout& layout, const std::vector<index_t>& dims);

/// True if the axes come in the order n, c, d, h, w.
bool is_onnx_order(const FileLayout& layout);

}  // namespace parconv::hdf5
