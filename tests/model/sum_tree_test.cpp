// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/sum_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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
  EXPECT_THROW(subtrees_of(4, {2, 5}), Bug);
  EXPECT_THROW(tree_cuts(0, 1), Bug);
  EXPECT_THROW(joins_after(2, std::vector<Interval>{{0, 1}, {0, 1}}), Bug) << "two parts of one leaf";
}

TEST(SumLeaves, FindsTheLeavesOfChannels) {
  const SumLeaves leaves{.channels = 10, .count = 4};  // [0, 2), [2, 5), [5, 7), [7, 10)
  EXPECT_EQ(leaves.leaves_in({2, 7}), (Interval{1, 3}));
  EXPECT_EQ(leaves.leaves_in({0, 10}), (Interval{0, 4}));
  EXPECT_EQ(leaves.leaves_in({5, 5}), (Interval{2, 2}));
  for (const Interval part : {Interval{0, 1}, Interval{1, 2}, Interval{2, 6}, Interval{8, 10}})
    EXPECT_EQ(leaves.leaves_in(part), std::nullopt) << part;
  for (index_t channels = 1; channels <= 70; ++channels)
    for (index_t count = 1; count <= channels; ++count) {
      const SumLeaves all{.channels = channels, .count = count};
      for (index_t k = 0; k < count; ++k) ASSERT_EQ(all.leaves_in(all.leaf(k)), (Interval{k, k + 1})) << channels << " " << count;
    }
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

TEST(JoinsAfter, LiteralParts) {
  const auto joins = [](index_t count, std::vector<Interval> parts) { return joins_after(count, parts); };
  EXPECT_EQ(joins(5, {{0, 2}, {2, 3}, {3, 5}}), (Joins{0, 1, 1}));
  EXPECT_EQ(joins(5, {{0, 1}, {2, 3}, {4, 5}}), (Joins{0, 1, 1}));
  EXPECT_EQ(joins(8, {{0, 4}, {4, 6}, {6, 7}, {7, 8}}), (Joins{0, 0, 0, 3}));
  EXPECT_EQ(joins(8, {{5, 6}}), (Joins{0}));
  EXPECT_EQ(joins(8, {}), Joins{});
}

/// The text of node `node` of a tree, whose nodes `parts` are written as one.
std::string tree_of_parts(Interval node, const std::vector<Interval>& parts) {
  if (std::find(parts.begin(), parts.end(), node) != parts.end()) return std::to_string(node.lo);
  if (node.size() < 2) return "";
  const index_t middle = node.lo + (node.size() + 1) / 2;
  const std::string front = tree_of_parts({node.lo, middle}, parts), back = tree_of_parts({middle, node.hi}, parts);
  return front.empty() || back.empty() ? front + back : "(" + front + "+" + back + ")";
}

std::string tree_by_joins(index_t count, const std::vector<Interval>& parts) {
  std::vector<std::string> stack;
  const Joins joins = joins_after(count, parts);
  for (std::size_t part = 0; part < parts.size(); ++part) {
    stack.push_back(std::to_string(parts[part].lo));
    for (int k = 0; k < joins[part]; ++k) {
      const std::string b = stack.back();
      stack.pop_back();
      stack.back() = "(" + stack.back() + "+" + b + ")";
    }
  }
  EXPECT_EQ(stack.size(), 1U);
  return stack.back();
}

TEST(JoinsAfterLeaves, EvaluateTheTree) {
  std::vector<Interval> leaves;
  for (index_t count = 1; count <= 64; ++count) {
    leaves.push_back({count - 1, count});
    const Joins joins = joins_after_leaves(count);
    ASSERT_EQ(joins, joins_after(count, leaves));
    ASSERT_EQ(std::accumulate(joins.begin(), joins.end(), 0), count - 1);
    ASSERT_EQ(tree_by_joins(count, leaves), tree_of_parts({0, count}, leaves));
  }
}

/// Every range of every tree: the subtrees are disjoint, complete and as few as possible, and with those of the rest they make up
/// the tree.
TEST(Subtrees, OfAllRangesMakeUpTheTree) {
  for (index_t count = 1; count <= 40; ++count)
    for (index_t lo = 0; lo <= count; ++lo)
      for (index_t hi = lo + 1; hi <= count; ++hi) {
        std::vector<Interval> parts;
        for (const Interval range : {Interval{0, lo}, Interval{lo, hi}, Interval{hi, count}}) {
          const std::vector<Interval> subtrees = subtrees_of(count, range);
          index_t end = range.lo;
          for (const Interval node : subtrees) {
            ASSERT_EQ(node.lo, end);
            end = node.hi;
          }
          ASSERT_EQ(end, range.hi);
          ASSERT_LE(subtrees.size(), 10U);  // two for each level
          parts.insert(parts.end(), subtrees.begin(), subtrees.end());
        }
        ASSERT_EQ(tree_by_joins(count, parts), tree_of_parts({0, count}, parts));
      }
  EXPECT_EQ(subtrees_of(8, {1, 7}), (std::vector<Interval>{{1, 2}, {2, 4}, {4, 6}, {6, 7}}));
  EXPECT_EQ(subtrees_of(8, {4, 8}), (std::vector<Interval>{{4, 8}}));
}

TEST(TreeCuts, ArePartsOfTheTree) {
  EXPECT_EQ(tree_cuts(6, 4), (std::vector<index_t>{0, 2, 3, 5, 6}));
  EXPECT_EQ(tree_cuts(6, 5), (std::vector<index_t>{0, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tree_cuts(8, 3), (std::vector<index_t>{0, 3, 6, 8}));
  EXPECT_EQ(tree_cuts(1, 2), (std::vector<index_t>{0, 1, 1}));
  for (index_t count = 1; count <= 64; ++count)
    for (int parts = 1; parts <= 64; ++parts) {
      const std::vector<index_t> cuts = tree_cuts(count, parts);
      ASSERT_EQ(cuts.size(), static_cast<std::size_t>(parts) + 1);
      ASSERT_TRUE(cuts.front() == 0 && cuts.back() == count);
      for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
        const Interval part{cuts[k], cuts[k + 1]};
        ASSERT_TRUE(parts > count || !part.is_empty()) << count << " in " << parts;
        const bool is_node = parts <= count && (parts & (parts - 1)) == 0;
        ASSERT_TRUE(!is_node || subtrees_of(count, part).size() == 1) << count << " in " << parts;
      }
    }
}

}  // namespace
}  // namespace parconv
