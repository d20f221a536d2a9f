// Random distributions for property tests.
#pragma once

#include <algorithm>
#include <random>
#include <vector>

#include "parconv/geometry/cuts.hpp"
#include "parconv/geometry/distribution.hpp"

namespace parconv::testing {

using Random = std::mt19937;

inline index_t pick(Random& random, index_t lo, index_t hi) { return std::uniform_int_distribution<index_t>(lo, hi)(random); }

/// Up to `num_ranks` ranks, somewhere in the job.
inline Grid random_grid(Random& random, int num_ranks) {
  Grid grid;
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto axis = static_cast<GridAxis>(pick(random, 0, num_grid_axes - 1));
    const int factor = static_cast<int>(pick(random, 1, 3));
    if (grid.size() * factor <= num_ranks) grid.parts[axis] *= factor;
  }
  grid.first_rank = static_cast<int>(pick(random, 0, num_ranks - grid.size()));
  return grid;
}

/// Disjoint pieces that cover the extent, some of them empty; in any order if `is_shuffled`.
inline std::vector<Interval> random_pieces(Random& random, index_t extent, std::size_t count, bool is_shuffled) {
  Cuts cuts{0, extent};
  while (cuts.size() < count + 1) cuts.push_back(pick(random, 0, extent));
  std::sort(cuts.begin(), cuts.end());
  std::vector<Interval> pieces = pieces_of(cuts);
  if (is_shuffled) std::shuffle(pieces.begin(), pieces.end(), random);
  return pieces;
}

/// Any intervals, overlapping or empty.
inline std::vector<Interval> random_intervals(Random& random, index_t extent, std::size_t count) {
  std::vector<Interval> intervals;
  for (std::size_t k = 0; k < count; ++k) {
    const index_t lo = pick(random, 0, extent);
    intervals.push_back(pick(random, 0, 4) == 0 ? Interval{} : Interval{lo, pick(random, lo, extent)});
  }
  return intervals;
}

/// Which grid axes cut which tensor axis: every one cuts some axis, or none (replicas) where `with_replicas`.
inline std::array<AxisPieces, num_axes> random_axes(Random& random, bool with_replicas) {
  std::array<AxisPieces, num_axes> axes;
  std::vector<GridAxis> order(all_grid_axes.begin(), all_grid_axes.end());
  std::shuffle(order.begin(), order.end(), random);
  for (GridAxis axis : order) {
    const auto target = static_cast<std::size_t>(pick(random, 0, with_replicas ? num_axes : num_axes - 1));
    if (target < num_axes) axes[target].by.push_back(axis);
  }
  return axes;
}

inline std::size_t positions(const Grid& grid, const std::vector<GridAxis>& by) {
  std::size_t count = 1;
  for (GridAxis axis : by) count *= static_cast<std::size_t>(grid.parts[axis]);
  return count;
}

/// Every element of the tensor owned by one rank or by one whole group of replicas.
inline Distribution random_owners(Random& random, const Extents& extents, int num_ranks, bool with_replicas) {
  const Grid grid = random_grid(random, num_ranks);
  std::array<AxisPieces, num_axes> axes = random_axes(random, with_replicas);
  for (Axis axis : all_axes) {
    AxisPieces& table = axes[static_cast<std::size_t>(axis)];
    table.pieces = random_pieces(random, extents[axis], positions(grid, table.by), pick(random, 0, 2) == 0);
  }
  return Distribution(grid, std::move(axes));
}

/// Boxes that overlap as they like.
inline Distribution random_needs(Random& random, const Extents& extents, int num_ranks) {
  const Grid grid = random_grid(random, num_ranks);
  std::array<AxisPieces, num_axes> axes = random_axes(random, true);
  for (Axis axis : all_axes) {
    AxisPieces& table = axes[static_cast<std::size_t>(axis)];
    table.pieces = random_intervals(random, extents[axis], positions(grid, table.by));
    if (pick(random, 0, 1) == 0) table.pieces.assign(table.pieces.size(), {0, extents[axis]});
  }
  return Distribution(grid, std::move(axes));
}

}  // namespace parconv::testing
