// SPDX-License-Identifier: Apache-2.0
// Tiling of a box into hyperslabs that fit a staging buffer and follow the storage order of a dataset.
#pragma once

#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv::hdf5 {

/// Storage layout of a dataset.
struct Storage {
  std::vector<Axis> axes{};  ///< slowest first
  Extents extents{};
  Extents chunk{};  ///< all 1 for contiguous storage
  bool is_contiguous = true;
  index_t elem_bytes = 4;
};

/// Hyperslabs [first + k * extents, first + (k + 1) * extents) clipped to `box`, on a grid aligned to the storage blocks.
struct Hyperslabs {
  Box box{};
  Extents first{};    ///< origin of the first hyperslab before clipping
  Extents extents{};  ///< extents of a hyperslab before clipping

  template <class Visit>
  void for_each(const std::vector<Axis>& order, Visit&& visit) const {
    visit_axis(order, 0, box, visit);
  }

 private:
  template <class Visit>
  void visit_axis(const std::vector<Axis>& order, std::size_t depth, Box slab, Visit& visit) const {
    if (depth == order.size()) return visit(slab);
    const Axis axis = order[depth];
    for (index_t lo = first[axis]; lo < box[axis].hi; lo += extents[axis])
      visit_axis(order, depth + 1, slab.with(axis, intersect({lo, lo + extents[axis]}, box[axis])), visit);
  }
};

/// Tiles `box` into hyperslabs of at most `budget_bytes` (or one element). A hyperslab holds whole chunks as long as they fit,
/// and grows along the file's fastest axis first, then along channels (so that the conversion to channels-last gets whole
/// pixels), then along the other axes from fastest to slowest.
Hyperslabs make_hyperslabs(const Storage& storage, const Box& box, index_t budget_bytes);

/// The box to read instead of `box`. Along axes of a contiguous dataset where the gaps between runs are at most 4 KiB, reading
/// the gaps takes less time than a further call, so the full axis is read; limited to 8 times the elements.
/// Example: columns [0, 64) of 1024 x 512 f32 are runs of 256 bytes with gaps of 1792; whole rows are one run.
Box widened(const Storage& storage, const Box& box);

}  // namespace parconv::hdf5
