// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/distribution.hpp"

#include <gtest/gtest.h>

#include <map>

#include "geometry/random_distribution.hpp"
#include "parconv/core/error.hpp"
#include "support/shrink.hpp"

namespace parconv::test {
namespace {

/// 10 rows of 6 columns on a grid of h=2, w=2 from rank 3 on; f=2 replicates.
Distribution rows_and_columns() {
  std::array<AxisPartition, num_axes> axes;
  for (AxisPartition& axis : axes) axis.blocks = {{0, 1}};
  axes[static_cast<std::size_t>(Axis::H)] = {{{0, 5}, {5, 10}}, {GridAxis::H}};
  axes[static_cast<std::size_t>(Axis::W)] = {{{0, 3}, {3, 6}}, {GridAxis::W}};
  return Distribution({.first_rank = 3, .parts = {{1, 2, 1, 1, 2, 2}}}, axes);
}

Box image(Interval h, Interval w) { return {{Interval{0, 1}, Interval{0, 1}, Interval{0, 1}, h, w}}; }

TEST(Distribution, BoxOfEveryRank) {
  const Distribution distribution = rows_and_columns();
  EXPECT_EQ(distribution.box(3), image({0, 5}, {0, 3}));
  EXPECT_EQ(distribution.box(4), image({0, 5}, {3, 6}));
  EXPECT_EQ(distribution.box(6), image({5, 10}, {3, 6}));
  EXPECT_EQ(distribution.box(7), distribution.box(3)) << "the second replica";
  EXPECT_TRUE(distribution.box(2).is_empty());
  EXPECT_TRUE(distribution.box(11).is_empty());
}

TEST(Distribution, Replicas) {
  const Distribution distribution = rows_and_columns();
  EXPECT_EQ(distribution.replica_offsets(), (std::vector<int>{0, 4}));
  EXPECT_EQ(distribution.first_replica(8), 4);
  EXPECT_EQ(distribution.first_replica(4), 4);
  EXPECT_THROW(distribution.first_replica(2), Bug);
}

TEST(Distribution, VisitsTheOverlapsOnly) {
  std::map<int, Box> visited;
  rows_and_columns().for_each_overlap(image({4, 6}, {0, 2}), [&](int rank, const Box& box) { visited[rank] = box; });
  EXPECT_EQ(visited, (std::map<int, Box>{{3, image({4, 5}, {0, 2})}, {5, image({5, 6}, {0, 2})}}));
}

TEST(Distribution, EmptyQueryVisitsNoRank) {
  rows_and_columns().for_each_overlap(Box{}, [](int, const Box&) { FAIL(); });
}

TEST(Distribution, OnOneRank) {
  const Distribution distribution = Distribution::on_one_rank(5, {{1, 2, 3, 4, 5}});
  EXPECT_EQ(distribution.box(5), Box::whole({{1, 2, 3, 4, 5}}));
  EXPECT_TRUE(distribution.box(0).is_empty());
  EXPECT_EQ(distribution.grid().size(), 1);
}

TEST(Distribution, DefaultHasNothing) {
  const Distribution nothing;
  EXPECT_TRUE(nothing.box(0).is_empty());
  EXPECT_THROW(nothing.first_replica(0), Bug);
  nothing.for_each_overlap(Box::whole({}), [](int, const Box&) { FAIL(); });
}

TEST(Distribution, RefusesBrokenPreconditions) {
  std::array<AxisPartition, num_axes> axes;
  for (AxisPartition& axis : axes) axis.blocks = {{0, 1}};
  const Grid grid{.parts = {{1, 1, 1, 1, 2, 1}}};
  axes[3].by = {GridAxis::H};
  EXPECT_THROW(Distribution(grid, axes), Bug) << "one block for two positions";
  axes[3].blocks = {{0, 1}, {1, 2}};
  EXPECT_NO_THROW(Distribution(grid, axes));
  axes[4] = {{{0, 1}, {1, 2}}, {GridAxis::H}};
  EXPECT_THROW(Distribution(grid, axes), Bug) << "h cuts two axes";
}

/// Brute-force oracle of for_each_overlap: intersects the box of every rank.
std::map<int, Box> overlaps_by_asking_all(const Distribution& distribution, const Box& query) {
  std::map<int, Box> result;
  const Grid& grid = distribution.grid();
  for (int rank = grid.first_rank; rank < grid.first_rank + grid.size(); ++rank) {
    const Box common = intersect(distribution.box(rank), query);
    if (!common.is_empty() && distribution.first_replica(rank) == rank) result[rank] = common;
  }
  return result;
}

Box random_query(Random& random, const Extents& extents) {
  Box query;
  for (Axis axis : all_axes) query[axis] = random_intervals(random, extents[axis], 1).front();
  return query;
}

void check_overlaps(const Distribution& distribution, const Box& query) {
  std::map<int, Box> visited;
  distribution.for_each_overlap(
      query, [&](int rank, const Box& box) { EXPECT_TRUE(visited.emplace(rank, box).second) << "rank " << rank << " twice"; });
  EXPECT_EQ(visited, overlaps_by_asking_all(distribution, query));
}

TEST(Distribution, OverlapsAgreeWithAskingAllRanks) {
  const Extents extents{{2, 5, 3, 7, 6}};
  const auto of_owners = [&](Random& random) {
    const Distribution owners = random_owners(random, extents, 24, true);
    check_overlaps(owners, random_query(random, extents));
  };
  const auto of_needs = [&](Random& random) {
    const Distribution needs = random_needs(random, extents, 24);
    check_overlaps(needs, random_query(random, extents));
  };
  for_all(of_owners, {.count = 2000});
  for_all(of_needs, {.count = 2000});
}

TEST(Distribution, MembersOfAReplicaGroupHaveTheSameBox) {
  const auto property = [](Random& random) {
    const Distribution distribution = random_owners(random, {{2, 5, 3, 7, 6}}, 24, true);
    const Grid& grid = distribution.grid();
    std::vector<int> visits(static_cast<std::size_t>(grid.size()), 0);
    for (int rank = grid.first_rank; rank < grid.first_rank + grid.size(); ++rank) {
      EXPECT_EQ(distribution.box(distribution.first_replica(rank)), distribution.box(rank));
      if (distribution.first_replica(rank) != rank) continue;
      for (int offset : distribution.replica_offsets()) ++visits[static_cast<std::size_t>(rank + offset - grid.first_rank)];
    }
    EXPECT_EQ(visits, std::vector<int>(visits.size(), 1)) << "groups partition the ranks";
  };
  for_all(property, {.count = 300});
}

}  // namespace
}  // namespace parconv::test
