// SPDX-License-Identifier: Apache-2.0
// Distribution of a tensor over ranks: the box of each rank by grid arithmetic.
#pragma once

#include <array>
#include <vector>

#include "parconv/geometry/box.hpp"
#include "parconv/geometry/grid.hpp"

namespace parconv {

/// Partition of one tensor axis: a rank takes the block at its linear position along the grid axes `by`, the last one fastest.
struct AxisPartition {
  std::vector<Interval> blocks{};
  std::vector<GridAxis> by{};
};

/// Mapping from rank to box of one tensor. Axes are partitioned independently, so a box is a product of blocks, and the ranks
/// that overlap a given box are found in time proportional to their number. Describes both ownership (disjoint boxes,
/// replicated along grid axes that cut no tensor axis) and needs (boxes may overlap). The rank is an argument.
class Distribution {
 public:
  Distribution() = default;

  /// Precondition: axes[a].blocks has one entry per position along axes[a].by, and no grid axis is used twice.
  Distribution(const Grid& grid, std::array<AxisPartition, num_axes> axes);

  /// The whole tensor of `extents` on one rank.
  static Distribution on_one_rank(int rank, const Extents& extents);

  const Grid& grid() const { return grid_; }
  const AxisPartition& partition(Axis axis) const { return axes_[static_cast<std::size_t>(axis)].partition; }

  /// The box of `rank`; empty for a rank outside the grid.
  Box box(int rank) const;

  /// Rank offsets of a replica group's members from its first rank; {0} without replicas.
  const std::vector<int>& replica_offsets() const { return replica_offsets_; }
  /// The lowest rank of the replica group of `rank`. Precondition: grid().contains(rank).
  int first_replica(int rank) const;

  /// Calls visit(first_rank_of_the_replica_group, common_box) for every replica group whose box intersects `query`, ordered by
  /// block index, n slowest.
  template <class Visit>
  void for_each_overlap(const Box& query, Visit&& visit) const {
    if (query.is_empty()) return;
    visit_axis(0, query, Box{}, grid_.first_rank, visit);
  }

 private:
  struct AxisTable {
    AxisPartition partition;
    std::vector<int> rank_offsets;  // rank offset of coordinate k
    std::vector<Interval> bounds;   // the blocks; an empty one repeats its predecessor
    bool is_sorted = false;         // lo and hi of `bounds` are non-decreasing, so binary search applies
  };

  /// Range [first, last) of coordinates whose blocks may intersect `query`.
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
      const Interval hit = intersect(table.partition.blocks[k], query.intervals[axis]);
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
