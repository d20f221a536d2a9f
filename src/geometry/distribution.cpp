// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/distribution.hpp"

#include <algorithm>
#include <limits>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Rank offset of every position along `axes` (last fastest) from the first rank of the grid.
std::vector<int> offsets_along(const Grid& grid, const std::vector<GridAxis>& axes) {
  std::vector<int> offsets{0};
  for (GridAxis axis : axes) {
    std::vector<int> finer;
    finer.reserve(offsets.size() * static_cast<std::size_t>(grid.parts[axis]));
    for (int offset : offsets)
      for (int k = 0; k < grid.parts[axis]; ++k) finer.push_back(offset + k * grid.stride(axis));
    offsets = std::move(finer);
  }
  return offsets;
}

/// Empty blocks do not constrain the order, wherever they lie: they take the bounds of their predecessor.
std::vector<Interval> bounds_of(const std::vector<Interval>& blocks) {
  constexpr index_t lowest = std::numeric_limits<index_t>::min();
  std::vector<Interval> bounds;
  Interval previous{lowest, lowest};
  for (Interval block : blocks) {
    if (!block.is_empty()) previous = block;
    bounds.push_back(previous);
  }
  return bounds;
}

bool never_decrease(const std::vector<Interval>& bounds) {
  return std::adjacent_find(bounds.begin(), bounds.end(), [](Interval a, Interval b) { return b.lo < a.lo || b.hi < a.hi; }) ==
         bounds.end();
}

std::size_t coordinate(const Grid& grid, const GridVector& position, const std::vector<GridAxis>& by) {
  std::size_t result = 0;
  for (GridAxis axis : by)
    result = result * static_cast<std::size_t>(grid.parts[axis]) + static_cast<std::size_t>(position[axis]);
  return result;
}

}  // namespace

Distribution::Distribution(const Grid& grid, std::array<AxisPartition, num_axes> axes) : grid_(grid) {
  std::array<bool, num_grid_axes> is_used{};
  for (std::size_t a = 0; a < axes.size(); ++a) {
    for (GridAxis axis : axes[a].by) {
      PARCONV_EXPECT(!is_used[static_cast<std::size_t>(axis)], "grid axis ", name_of(axis), " cuts two tensor axes");
      is_used[static_cast<std::size_t>(axis)] = true;
    }
    AxisTable& table = axes_[a];
    table.rank_offsets = offsets_along(grid, axes[a].by);
    table.bounds = bounds_of(axes[a].blocks);
    table.is_sorted = never_decrease(table.bounds);
    table.partition = std::move(axes[a]);
    PARCONV_EXPECT(table.partition.blocks.size() == table.rank_offsets.size(), table.partition.blocks.size(), " blocks for ",
                   table.rank_offsets.size(), " positions");
  }
  std::vector<GridAxis> unused;
  for (GridAxis axis : all_grid_axes)
    if (!is_used[static_cast<std::size_t>(axis)]) unused.push_back(axis);
  replica_offsets_ = offsets_along(grid, unused);
}

Distribution Distribution::on_one_rank(int rank, const Extents& extents) {
  std::array<AxisPartition, num_axes> axes;
  for (Axis axis : all_axes) axes[static_cast<std::size_t>(axis)] = {{{0, extents[axis]}}, {}};
  return Distribution(Grid{.first_rank = rank}, std::move(axes));
}

Box Distribution::box(int rank) const {
  if (!grid_.contains(rank)) return {};
  const GridVector position = grid_.position(rank);
  Box result;
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const AxisPartition& axis = axes_[a].partition;
    if (axis.blocks.empty()) return {};
    result.intervals[a] = axis.blocks[coordinate(grid_, position, axis.by)];
  }
  return result.is_empty() ? Box{} : result;
}

int Distribution::first_replica(int rank) const {
  PARCONV_EXPECT(!axes_[0].rank_offsets.empty(), "an empty distribution has no ranks");
  const GridVector position = grid_.position(rank);
  int result = grid_.first_rank;
  for (const AxisTable& table : axes_) result += table.rank_offsets[coordinate(grid_, position, table.partition.by)];
  return result;
}

std::array<std::size_t, 2> Distribution::candidates(const AxisTable& table, Interval query) const {
  const std::vector<Interval>& bounds = table.bounds;
  if (!table.is_sorted) return {0, bounds.size()};
  const auto first = std::partition_point(bounds.begin(), bounds.end(), [&](Interval p) { return p.hi <= query.lo; });
  const auto last = std::partition_point(first, bounds.end(), [&](Interval p) { return p.lo < query.hi; });
  return {static_cast<std::size_t>(first - bounds.begin()), static_cast<std::size_t>(last - bounds.begin())};
}

}  // namespace parconv
