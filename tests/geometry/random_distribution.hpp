// SPDX-License-Identifier: Apache-2.0
// Random distributions for property tests.
#pragma once

#include <algorithm>
#include <vector>

#include "parconv/geometry/cuts.hpp"
#include "parconv/geometry/distribution.hpp"
#include "support/random.hpp"

namespace parconv::test {

/// A grid of up to `num_ranks` ranks with a random first rank.
inline Grid random_grid(Random& random, int num_ranks) {
  Grid grid;
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto axis = static_cast<GridAxis>(random.integer(0, num_grid_axes - 1));
    const int factor = static_cast<int>(random.integer(1, 3));
    if (grid.size() * factor <= num_ranks) grid.parts[axis] *= factor;
  }
  grid.first_rank = static_cast<int>(random.integer(0, num_ranks - grid.size()));
  return grid;
}

/// Disjoint blocks that cover the extent, some of them empty; shuffled if `is_shuffled`.
inline std::vector<Interval> random_blocks(Random& random, index_t extent, std::size_t count, bool is_shuffled) {
  Cuts cuts{0, extent};
  while (cuts.size() < count + 1) cuts.push_back(random.integer(0, extent));
  std::sort(cuts.begin(), cuts.end());
  std::vector<Interval> blocks = blocks_of(cuts);
  if (is_shuffled) random.shuffle(blocks);
  return blocks;
}

/// Random intervals, overlapping or empty.
inline std::vector<Interval> random_intervals(Random& random, index_t extent, std::size_t count) {
  std::vector<Interval> intervals;
  for (std::size_t k = 0; k < count; ++k) {
    const index_t lo = random.integer(0, extent);
    intervals.push_back(random.once_in(5) ? Interval{} : Interval{lo, random.integer(lo, extent)});
  }
  return intervals;
}

/// Random assignment of grid axes to tensor axes. With `with_replicas`, some grid axes cut no tensor axis.
inline std::array<AxisPartition, num_axes> random_axes(Random& random, bool with_replicas) {
  std::array<AxisPartition, num_axes> axes;
  std::vector<GridAxis> order(all_grid_axes.begin(), all_grid_axes.end());
  random.shuffle(order);
  for (GridAxis axis : order) {
    const auto target = static_cast<std::size_t>(random.integer(0, with_replicas ? num_axes : num_axes - 1));
    if (target < num_axes) axes[target].by.push_back(axis);
  }
  return axes;
}

inline std::size_t positions(const Grid& grid, const std::vector<GridAxis>& by) {
  std::size_t count = 1;
  for (GridAxis axis : by) count *= static_cast<std::size_t>(grid.parts[axis]);
  return count;
}

/// Random owners: every element has one owner, or one group of replicas.
inline Distribution random_owners(Random& random, const Extents& extents, int num_ranks, bool with_replicas) {
  const Grid grid = random_grid(random, num_ranks);
  std::array<AxisPartition, num_axes> axes = random_axes(random, with_replicas);
  for (Axis axis : all_axes) {
    AxisPartition& table = axes[static_cast<std::size_t>(axis)];
    table.blocks = random_blocks(random, extents[axis], positions(grid, table.by), random.once_in(3));
  }
  return Distribution(grid, std::move(axes));
}

/// Random, overlapping boxes.
inline Distribution random_needs(Random& random, const Extents& extents, int num_ranks) {
  const Grid grid = random_grid(random, num_ranks);
  std::array<AxisPartition, num_axes> axes = random_axes(random, true);
  for (Axis axis : all_axes) {
    AxisPartition& table = axes[static_cast<std::size_t>(axis)];
    table.blocks = random_intervals(random, extents[axis], positions(grid, table.by));
    if (random.once_in(2)) table.blocks.assign(table.blocks.size(), {0, extents[axis]});
  }
  return Distribution(grid, std::move(axes));
}

}  // namespace parconv::test
