// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/grid.hpp"

#include <gtest/gtest.h>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

const Grid mixed{.first_rank = 10, .parts = {{2, 1, 3, 1, 2, 2}}};

TEST(Grid, SizeAndStrides) {
  EXPECT_EQ(mixed.size(), 24);
  EXPECT_EQ(mixed.stride(GridAxis::W), 1);
  EXPECT_EQ(mixed.stride(GridAxis::H), 2);
  EXPECT_EQ(mixed.stride(GridAxis::C), 4);
  EXPECT_EQ(mixed.stride(GridAxis::N), 12);
}

TEST(Grid, LastAxisIsFastest) {
  EXPECT_EQ(mixed.position(10), (GridVector{{0, 0, 0, 0, 0, 0}}));
  EXPECT_EQ(mixed.position(11), (GridVector{{0, 0, 0, 0, 0, 1}}));
  EXPECT_EQ(mixed.position(12), (GridVector{{0, 0, 0, 0, 1, 0}}));
  EXPECT_EQ(mixed.position(33), (GridVector{{1, 0, 2, 0, 1, 1}}));
}

TEST(Grid, PositionsAndRanksAreInverse) {
  for (int rank = 10; rank < 34; ++rank) {
    const GridVector position = mixed.position(rank);
    EXPECT_EQ(mixed.rank_at(position), rank);
    for (GridAxis axis : all_grid_axes) {
      if (position[axis] + 1 >= mixed.parts[axis]) continue;
      GridVector next = position;
      ++next[axis];
      EXPECT_EQ(mixed.rank_at(next) - rank, mixed.stride(axis));
    }
  }
}

TEST(Grid, RefusesRanksOutside) {
  EXPECT_FALSE(mixed.contains(9));
  EXPECT_FALSE(mixed.contains(34));
  EXPECT_THROW(mixed.position(34), Bug);
}

TEST(Grid, PrintsSplitAxes) {
  EXPECT_EQ(concat(mixed), "n=2,c=3,h=2,w=2");
  EXPECT_EQ(concat(Grid{}), "1");
}

}  // namespace
}  // namespace parconv
