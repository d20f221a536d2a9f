// SPDX-License-Identifier: Apache-2.0
// Process grids: ranks arranged along the axes by which an operator is split.
#pragma once

#include <array>
#include <iosfwd>

#include "parconv/core/types.hpp"

namespace parconv {

/// Axes of a process grid. F splits output channels (filters), C the contracted input channels.
enum class GridAxis : int { N = 0, F = 1, C = 2, D = 3, H = 4, W = 5 };

inline constexpr int num_grid_axes = 6;
inline constexpr std::array<GridAxis, num_grid_axes> all_grid_axes{GridAxis::N, GridAxis::F, GridAxis::C,
                                                                   GridAxis::D, GridAxis::H, GridAxis::W};

/// "n", "f", "c", "d", "h" or "w".
const char* name_of(GridAxis axis);

/// One coordinate or count per grid axis.
struct GridVector {
  std::array<int, num_grid_axes> values{};

  constexpr int& operator[](GridAxis axis) { return values[static_cast<std::size_t>(axis)]; }
  constexpr int operator[](GridAxis axis) const { return values[static_cast<std::size_t>(axis)]; }
  friend constexpr bool operator==(const GridVector&, const GridVector&) = default;
};

/// Consecutive ranks [first_rank, first_rank + size()) as a grid, the last axis (w) fastest, so that halo neighbours along w
/// and h tend to share a node.
struct Grid {
  int first_rank = 0;
  GridVector parts{{1, 1, 1, 1, 1, 1}};

  int size() const;
  bool contains(int rank) const { return rank >= first_rank && rank < first_rank + size(); }
  /// Rank distance between neighbours along `axis`.
  int stride(GridAxis axis) const;
  /// Grid coordinates of `rank`. Precondition: contains(rank).
  GridVector position(int rank) const;
  int rank_at(const GridVector& position) const;

  friend bool operator==(const Grid&, const Grid&) = default;
};

/// Prints "h=2,w=2"; "1" for one rank.
std::ostream& operator<<(std::ostream& out, const Grid& grid);

}  // namespace parconv
