// SPDX-License-Identifier: Apache-2.0
// One convolution of the cpu backend: all that its kernels must know.
#pragma once

#include <vector>

#include "compute/direct/tiles/tile.hpp"
#include "parconv/geometry/operand_layout.hpp"
#include "parconv/geometry/window.hpp"
#include "parconv/model/sum_tree.hpp"

namespace parconv::direct {

/// The order in which a sum takes the taps of a filter.
enum class TapOrder {
  Ascending,
  Descending  ///< from the last tap to the first along each axis: phases of transposed convolutions, whose filters are flipped
};

/// A convolution of strided operands with channel strides of 1. Strides are in elements.
struct ConvShape {
  index_t groups = 1;
  index_t ic = 0;  ///< of one group
  index_t oc = 0;  ///< of one group
  Extents in{};
  Extents out{};
  Extents src_strides{};
  Extents dst_strides{};
  Extents residual_strides{};
  DType src_type = DType::F32;
  DType dst_type = DType::F32;
  DType residual_type = DType::F32;
  Window window{};  ///< whose pad_hi is not used
  TapOrder order = TapOrder::Ascending;
  /// Of the whole layer; `channels` are those of each group that the operand has.
  SumLeaves leaves{};
  Interval channels{};

  index_t taps() const { return window.axes[0].kernel * window.axes[1].kernel * window.axes[2].kernel; }
  /// Output channel c of a group sums over input channel c only.
  bool is_channelwise() const { return groups > 1 && ic == 1 && oc == 1; }
};

/// The same convolution with the axes h and w swapped if there is one column: rows are then long.
ConvShape with_long_rows(ConvShape shape);

/// Precondition: an element type.
ElementType element_type(DType type);

/// A leaf that the operand has a part of.
struct PresentLeaf {
  Interval channels{};  ///< of the operand's channels of a group
  int num_joins = 0;    ///< after this leaf
};

/// The leaves of `shape` in index order: the tree of sums restricted to the channels that are present.
std::vector<PresentLeaf> present_leaves(const ConvShape& shape);

}  // namespace parconv::direct
