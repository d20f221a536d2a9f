// Which box of a tensor each rank has, or needs, by grid arithmetic.
#pragma once

#include <array>
#include <vector>

#include "parconv/geometry/box.hpp"
#include "parconv/geometry/grid.hpp"

namespace parconv {

/// How one tensor axis is shared: a rank takes the piece at its coordinate, which is its position along `by`, the last fastest.
struct AxisPieces {
  std::vector<Interval> pieces{};
  std::vector<GridAxis> by{};
};

/// Rank -> box of one tensor. Every axis is cut on its own, so a box is a product of pieces, and the ranks that hold a given
/// box are found by arithmetic in proportion to the hits. The same type says what ranks own (disjoint boxes, or whole groups
/// of replicas along grid axes that cut no tensor axis) and what they need (boxes may overlap). The rank is an argument.
class Distribution {
 public:
  Distribution() = default;

  /// Precondition: pieces[a].pieces has one entry for every position along pieces[a].by, and no grid axis is used twice.
  Distribution(const Grid& grid, std::array<AxisPieces, num_axes> axes);

  /// All of `extents` on one rank.
  static Distribution on_one_rank(int rank, const Extents& extents);

  const Grid& grid() const { return grid_; }
  const AxisPieces& pieces(Axis axis) const { return axes_[static_cast<std::size_t>(axis)].pieces; }

  /// The box of `rank`: empty for a rank outside the grid.
  Box box(int rank) const;

  /// What has to be added to the first rank of a replica group to get its members; {0} without replicas.
  const std::vector<int>& replica_offsets() const { return replica_offsets_; }
  /// The lowest rank that has the same box by construction as `rank`. Precondition: grid().contains(rank).
  int first_replica(int rank) const;

  /// Calls visit(first_rank_of_the_replica_group, common_box) for every group whose box meets `query`, in order of the pieces,
  /// those of n slowest.
  template <class Visit>
  void for_each_overlap(const Box& query, Visit&& visit) const {
    if (query.is_empty()) return;
    visit_axis(0, query, Box{}, grid_.first_rank, visit);
  }

 private:
  struct AxisTable {
    AxisPieces pieces;
    std::vector<int> rank_offsets;  // what coordinate k adds to the rank
    std::vector<Interval> bounds;   // the pieces, where empty ones repeat the piece before them
    bool is_sorted = false;         // lo and hi of the bounds never decrease: binary search applies
  };

  /// The coordinates whose pieces may meet `query`, as [first, last).
  std::array<std::size_t, 2> candidates(const AxisTable& table, Interval query) const;

  template <class Visit>
  void visit_axis(std::size_t axis, const Box& query, Box common, int rank, Visit&& visit) const {
    if (axis == num_axes) {
      visit(rank, common);
      return;
    }
    const AxisTable& table = axes_[axis];
    const auto [first, last] = candidates(table, query.intervals[axis]);
    for (std::size_t k = first; k < last; ++k) {
      const Interval hit = intersect(table.pieces.pieces[k], query.intervals[axis]);
      if (hit.is_empty()) continue;
      common.intervals[axis] = hit;
      visit_axis(axis + 1, query, common, rank + table.rank_offsets[k], visit);
    }
  }

  Grid grid_{};
  std::array<AxisTable, num_axes> axes_{};
  std::vector<int> replica_offsets_{0};
};

}  // namespace parconv
