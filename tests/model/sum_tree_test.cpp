// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/sum_tree.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Joins = std::vector<int>;

TEST(SumLeaves, CoarseLeavesHave64ChannelsAnd512Products) {
  const auto count = [](index_t channels, index_t taps) { return leaves_of(channels, taps, LeafRule::Coarse).count; };
  EXPECT_EQ(count(1, 1), 1);
  EXPECT_EQ(count(3, 49), 1);
  EXPECT_EQ(count(64, 9), 1);
  EXPECT_EQ(count(127, 9), 1);
  EXPECT_EQ(count(128, 9), 2);  // 64 channels and 576 products a leaf
  EXPECT_EQ(count(192, 9), 2);  // 3 leaves are no power of two
  EXPECT_EQ(count(256, 9), 4);
  EXPECT_EQ(count(512, 9), 8);
  EXPECT_EQ(count(4096, 9), 8);
  EXPECT_EQ(count(512, 1), 1);  // 1x1: 512 products a leaf
  EXPECT_EQ(count(1023, 1), 1);
  EXPECT_EQ(count(1024, 1), 2);
  EXPECT_EQ(count(2048, 1), 4);
  EXPECT_EQ(count(25088, 1), 8);
  EXPECT_EQ(count(1, 1000000), 1);
  const index_t huge = std::numeric_limits<index_t>::max();
  EXPECT_EQ(count(huge, huge), 8);
  EXPECT_EQ(count(1, huge), 1);
}

TEST(SumLeaves, FineLeavesAreChannelsUpTo64) {
  for (index_t channels : {1, 2, 3, 63, 64}) EXPECT_EQ(leaves_of(channels, 9, LeafRule::Fine).count, channels);
  for (index_t channels : {65, 100, 2048}) EXPECT_EQ(leaves_of(channels, 1, LeafRule::Fine).count, 64);
}

TEST(SumLeaves, LiteralLeaves) {
  const SumLeaves leaves{.channels = 10, .count = 4};
  EXPECT_EQ(leaves.leaf(0), (Interval{0, 2}));
  EXPECT_EQ(leaves.leaf(1), (Interval{2, 5}));
  EXPECT_EQ(leaves.leaf(2), (Interval{5, 7}));
  EXPECT_EQ(leaves.leaf(3), (Interval{7, 10}));
  EXPECT_EQ(leaves_of(256, 9, LeafRule::Coarse).leaf(3), (Interval{192, 256}));
  EXPECT_EQ(SumLeaves{}.leaf(0), (Interval{0, 1}));
}

TEST(SumLeaves, PartitionTheChannels) {
  for (LeafRule rule : {LeafRule::Coarse, LeafRule::Fine})
    for (index_t taps : {1, 9, 27})
      for (index_t channels = 1; channels <= 1100; ++channels) {
        const SumLeaves leaves = leaves_of(channels, taps, rule);
        index_t end = 0;
        for (index_t k = 0; k < leaves.count; ++k) {
          ASSERT_EQ(leaves.leaf(k).lo, end) << channels << " channels, " << taps << " taps, leaf " << k;
          ASSERT_GE(leaves.leaf(k).size(), rule == LeafRule::Coarse && leaves.count > 1 ? 64 : 1);
          end = leaves.leaf(k).hi;
        }
        ASSERT_EQ(end, channels);
      }
}

TEST(SumLeaves, RejectsWhatIsNoLeaf) {
  EXPECT_THROW((SumLeaves{.channels = 10, .count = 4}.leaf(4)), Bug);
  EXPECT_THROW((SumLeaves{.channels = 2, .count = 4}.leaf(0)), Bug);
  EXPECT_THROW(leaves_of(0, 1, LeafRule::Fine), Bug);
  EXPECT_THROW(joins_after_leaves(0), Bug);
}

TEST(JoinsAfterLeaves, LiteralTrees) {
  EXPECT_EQ(joins_after_leaves(1), (Joins{0}));
  EXPECT_EQ(joins_after_leaves(2), (Joins{0, 1}));
  EXPECT_EQ(joins_after_leaves(3), (Joins{0, 1, 1}));           // (0 + 1) + 2
  EXPECT_EQ(joins_after_leaves(4), (Joins{0, 1, 0, 2}));        // (0 + 1) + (2 + 3)
  EXPECT_EQ(joins_after_leaves(5), (Joins{0, 1, 1, 0, 2}));     // ((0 + 1) + 2) + (3 + 4)
  EXPECT_EQ(joins_after_leaves(6), (Joins{0, 1, 1, 0, 1, 2}));  // ((0 + 1) + 2) + ((3 + 4) + 5)
  EXPECT_EQ(joins_after_leaves(8), (Joins{0, 1, 0, 2, 0, 1, 0, 3}));
}

/// The tree over the leaves [first, first + count) as text, by its definition.
std::string tree(index_t first, index_t count) {
  if (count == 1) return std::to_string(first);
  const index_t front = (count + 1) / 2;
  return "(" + tree(first, front) + "+" + tree(first + front, count - front) + ")";
}

/// The same by a stack.
std::string tree_by_joins(index_t count) {
  std::vector<std::string> stack;
  const Joins joins = joins_after_leaves(count);
  for (index_t leaf = 0; leaf < count; ++leaf) {
    stack.push_back(std::to_string(leaf));
    for (int k = 0; k < joins[static_cast<std::size_t>(leaf)]; ++k) {
      const std::string b = stack.back();
      stack.pop_back();
      stack.back() = "(" + stack.back() + "+" + b + ")";
    }
  }
  EXPECT_EQ(stack.size(), 1U);
  return stack.back();
}

TEST(JoinsAfterLeaves, EvaluateTheTree) {
  for (index_t count = 1; count <= 64; ++count) {
    ASSERT_EQ(tree_by_joins(count), tree(0, count));
    const Joins joins = joins_after_leaves(count);
    ASSERT_EQ(std::accumulate(joins.begin(), joins.end(), 0), count - 1);
  }
}

}  // namespace
}  // namespace parconv
