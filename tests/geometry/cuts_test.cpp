// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/cuts.hpp"

#include <gtest/gtest.h>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

std::vector<index_t> sizes(const Cuts& cuts) {
  std::vector<index_t> result;
  for (Interval block : blocks_of(cuts)) result.push_back(block.size());
  return result;
}

using Sizes = std::vector<index_t>;

TEST(BlockCuts, LiteralRows) {
  EXPECT_EQ(block_cuts(14, 4), (Cuts{0, 4, 8, 12, 14}));
  EXPECT_EQ(sizes(block_cuts(7, 4)), (Sizes{2, 2, 2, 1}));
  EXPECT_EQ(sizes(block_cuts(2, 3)), (Sizes{1, 1, 0}));
  EXPECT_EQ(sizes(block_cuts(9, 4)), (Sizes{3, 3, 3, 0}));
  EXPECT_EQ(sizes(block_cuts(0, 2)), (Sizes{0, 0}));
  EXPECT_EQ(sizes(block_cuts(5, 1)), (Sizes{5}));
}

TEST(BlockCuts, GrainAppliesOnlyIfEveryPartGetsOne) {
  EXPECT_EQ(sizes(block_cuts(64, 4, 16)), (Sizes{16, 16, 16, 16}));
  EXPECT_EQ(sizes(block_cuts(1000, 4, 16)), (Sizes{256, 256, 256, 232}));
  EXPECT_EQ(sizes(block_cuts(120, 3, 16)), (Sizes{48, 48, 24}));
  EXPECT_EQ(sizes(block_cuts(100, 3, 16)), (Sizes{34, 34, 32}));
  EXPECT_EQ(sizes(block_cuts(64, 3, 16)), (Sizes{22, 22, 20})) << "32, 32, 0 would leave a part without channels";
  EXPECT_EQ(sizes(block_cuts(20, 2, 16)), (Sizes{10, 10}));
}

TEST(BlockCuts, LargestExtentDoesNotOverflow) { EXPECT_EQ(block_cuts(index_t{1} << 62, 4096, 16)[1], index_t{1} << 50); }

TEST(BlockCuts, RefusesBrokenPreconditions) {
  EXPECT_THROW(block_cuts(4, 0), Bug);
  EXPECT_THROW(block_cuts(-1, 2), Bug);
  EXPECT_THROW(block_cuts(4, 2, 0), Bug);
}

TEST(BlockCuts, CoverTheExtentAndNeverEmptyAPartForTheGrain) {
  for (index_t extent = 0; extent <= 70; ++extent)
    for (int parts = 1; parts <= 9; ++parts)
      for (index_t grain : {1, 2, 3, 16}) {
        const Cuts cuts = block_cuts(extent, parts, grain);
        ASSERT_TRUE(are_valid_cuts(cuts, extent, parts)) << extent << " in " << parts << " grain " << grain;
        const Cuts plain = block_cuts(extent, parts);
        const bool is_rounded = cuts != plain;
        for (index_t size : sizes(cuts)) EXPECT_TRUE(!is_rounded || size >= grain) << extent << " in " << parts;
        EXPECT_EQ(sizes(plain)[0], (extent + parts - 1) / parts);
      }
}

TEST(GroupCuts, LiteralRows) {
  EXPECT_EQ(sizes(group_cuts(2, 6, 3)), (Sizes{3, 3, 6}));
  EXPECT_EQ(sizes(group_cuts(6, 2, 4)), (Sizes{4, 4, 4, 0}));
  EXPECT_EQ(sizes(group_cuts(1, 100, 3, 16)), (Sizes{34, 34, 32}));
  EXPECT_EQ(sizes(group_cuts(2, 64, 4, 16)), (Sizes{32, 32, 32, 32}));
  EXPECT_EQ(sizes(group_cuts(96, 1, 3, 16)), (Sizes{32, 32, 32})) << "depthwise";
  EXPECT_EQ(sizes(group_cuts(32, 4, 4, 16)), (Sizes{32, 32, 32, 32}));
  EXPECT_EQ(sizes(group_cuts(2, 1, 3)), (Sizes{1, 0, 1}));
}

TEST(GroupCuts, NeverMixPartsOfGroups) {
  for (index_t groups = 1; groups <= 7; ++groups)
    for (index_t size = 1; size <= 7; ++size)
      for (int parts = 1; parts <= 9; ++parts)
        for (index_t grain : {1, 2, 16}) {
          const Cuts cuts = group_cuts(groups, size, parts, grain);
          ASSERT_TRUE(are_valid_cuts(cuts, groups * size, parts)) << groups << " x " << size << " in " << parts;
          for (Interval block : blocks_of(cuts)) {
            const bool is_inside_one = block.is_empty() || block.lo / size == (block.hi - 1) / size;
            EXPECT_TRUE(is_inside_one || (block.lo % size == 0 && block.hi % size == 0))
                << groups << " x " << size << ": " << block;
          }
        }
}

TEST(AreValidCuts, RefusesGapsDisorderAndWrongCounts) {
  EXPECT_TRUE(are_valid_cuts({0, 2, 2, 5}, 5, 3));
  EXPECT_FALSE(are_valid_cuts({0, 2, 5}, 5, 3));
  EXPECT_FALSE(are_valid_cuts({1, 2, 5}, 5, 2));
  EXPECT_FALSE(are_valid_cuts({0, 2, 4}, 5, 2));
  EXPECT_FALSE(are_valid_cuts({0, 4, 2, 5}, 5, 3));
  EXPECT_FALSE(are_valid_cuts({}, 5, 1));
  EXPECT_FALSE(are_valid_cuts({}, 5, -1));
}

}  // namespace
}  // namespace parconv
