// Cutting a box into pieces that fit a staging buffer and follow the way a data set is stored.
#pragma once

#include <vector>

#include "parconv/geometry/box.hpp"

namespace parconv::hdf5 {

/// How a data set lies in its file.
struct Storage {
  std::vector<Axis> axes{};  ///< slowest first
  Extents extents{};
  Extents chunk{};  ///< all 1 for contiguous storage
  bool is_contiguous = true;
  index_t elem_bytes = 4;
};

/// Pieces are the boxes [k * extents, (k + 1) * extents) clipped to `box`; the first of an axis begins at the storage block
/// that `box` begins in.
struct Pieces {
  Box box{};
  Extents first{};    ///< where the first piece begins before clipping
  Extents extents{};  ///< of a piece before clipping

  template <class Visit>
  void for_each(const std::vector<Axis>& order, Visit&& visit) const {
    visit_axis(order, 0, box, visit);
  }

 private:
  template <class Visit>
  void visit_axis(const std::vector<Axis>& order, std::size_t depth, Box piece, Visit& visit) const {
    if (depth == order.size()) return visit(piece);
    const Axis axis = order[depth];
    for (index_t lo = first[axis]; lo < box[axis].hi; lo += extents[axis])
      visit_axis(order, depth + 1, piece.with(axis, intersect({lo, lo + extents[axis]}, box[axis])), visit);
  }
};

/// Pieces of at most `budget_bytes` (or one element). A piece takes whole chunks while they fit, and grows along the fastest
/// axis of the file first, then along the channels (so that the change to channels-last works on whole pixels), then along
/// the other axes from the fastest to the slowest.
Pieces make_pieces(const Storage& storage, const Box& box, index_t budget_bytes);

/// The box that is worth reading instead of `box`: where the runs of a contiguous data set have gaps of at most 4 KiB between
/// them, which take less time to read than a further call, the axis is taken whole; at most 8 times the elements.
/// Example: columns [0, 64) of 1024 x 512 f32 are runs of 256 bytes with gaps of 1792; whole rows are one run.
Box widened(const Storage& storage, const Box& box);

}  // namespace parconv::hdf5
