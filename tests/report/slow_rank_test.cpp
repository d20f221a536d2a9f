// SPDX-License-Identifier: Apache-2.0
// Literal times of ranks, and the one that is slow.
#include "parconv/report/slow_rank.hpp"

#include <gtest/gtest.h>

namespace parconv {
namespace {

std::optional<SlowRank> slowest(const std::vector<RankWork>& ranks, double least_seconds = 0.01) {
  return slowest_rank(ranks, Track::Compute, least_seconds);
}

TEST(SlowRank, IsNamedWithItsFactor) {
  const auto slow = slowest({{{1, 2}, {10, 10}}, {{3, 6}, {10, 10}}, {{1, 2}, {10, 10}}});
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->rank, 1);
  EXPECT_DOUBLE_EQ(slow->factor, 3);
}

TEST(SlowRank, OfTwoIsTheSlowerOne) { EXPECT_EQ(slowest({{{2}, {10}}, {{1}, {10}}}), (SlowRank{.rank = 0, .factor = 2})); }

TEST(SlowRank, OfSeveralIsTheSlowest) {
  EXPECT_EQ(slowest({{{1}, {1}}, {{2}, {1}}, {{4}, {1}}, {{1}, {1}}, {{1}, {1}}}), (SlowRank{.rank = 2, .factor = 4}));
}

TEST(SlowRank, IsNoneAtOneAndAHalf) {
  EXPECT_FALSE(slowest({{{1}, {10}}, {{1.5}, {10}}, {{1}, {10}}}));
  EXPECT_TRUE(slowest({{{1}, {10}}, {{1.51}, {10}}, {{1}, {10}}}));
}

TEST(SlowRank, UnevenCutsAreNotSlow) {
  // 4, 4, 4 and 2 rows at the same speed; the third rank has another layer, alone.
  EXPECT_FALSE(slowest({{{4, 0}, {4, 0}}, {{4, 0}, {4, 0}}, {{4, 9}, {4, 1}}, {{2, 0}, {2, 0}}}));
}

TEST(SlowRank, FewSecondsDoNotCount) {
  const std::vector<RankWork> ranks{{{0.01}, {10}}, {{0.03}, {10}}, {{0.01}, {10}}};
  EXPECT_FALSE(slowest(ranks, 0.05));
  EXPECT_TRUE(slowest(ranks, 0.015));
}

TEST(SlowRank, NeedsSeveralRanksWithWork) {
  EXPECT_FALSE(slowest({}));
  EXPECT_FALSE(slowest({{{5}, {1}}}));
  EXPECT_FALSE(slowest({{{5}, {1}}, {{0}, {0}}}));
  EXPECT_FALSE(slowest({{{0}, {0}}, {{0}, {0}}}));
}

TEST(SlowRank, HasAText) {
  EXPECT_EQ(text_of({.rank = 2, .track = Track::Compute, .factor = 2.13}, "node7"),
            "rank 2 on node7 computes 2.1 times as long as the median rank does for the same work");
  EXPECT_EQ(text_of({.rank = 0, .track = Track::Io, .factor = 3}, "a"),
            "rank 0 on a reads and writes 3 times as long as the median rank does for the same work");
}

}  // namespace
}  // namespace parconv
