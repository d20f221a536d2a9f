// SPDX-License-Identifier: Apache-2.0
// Disjoint boxes, against all pairs.
#include "program/verify/partition.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/random.hpp"

namespace parconv::verify {
namespace {

using test::Random;

Box random_box(Random& random, index_t extent) {
  Box box;
  for (Axis axis : all_axes) {
    const index_t lo = random.integer(0, extent - 1);
    box[axis] = {lo, random.integer(lo + 1, extent)};
  }
  return box;
}

bool has_overlap(const std::vector<Box>& boxes) {
  for (std::size_t a = 0; a < boxes.size(); ++a)
    for (std::size_t b = a + 1; b < boxes.size(); ++b)
      if (!intersect(boxes[a], boxes[b]).is_empty()) return true;
  return false;
}

/// Cuts a box along random axes into at most `count` parts.
std::vector<Box> random_partition(Random& random, const Box& whole, std::size_t count) {
  std::vector<Box> boxes{whole};
  for (std::size_t trial = 0; trial < 4 * count && boxes.size() < count; ++trial) {
    const auto k = static_cast<std::size_t>(random.integer(0, std::ssize(boxes) - 1));
    const Axis axis = all_axes[static_cast<std::size_t>(random.integer(0, num_axes - 1))];
    if (boxes[k][axis].size() < 2) continue;
    const index_t cut = random.integer(boxes[k][axis].lo + 1, boxes[k][axis].hi - 1);
    boxes.push_back(boxes[k].with(axis, {cut, boxes[k][axis].hi}));
    boxes[k][axis].hi = cut;
  }
  return boxes;
}

TEST(Partition, FindsNoOverlapInAPartition) {
  Random random(3);
  for (int trial = 0; trial < 60; ++trial)
    EXPECT_FALSE(find_overlap(random_partition(random, Box::whole({{8, 16, 2, 32, 32}}), 300)).has_value());
}

TEST(Partition, FindsASingleOverlapAmongManyBoxes) {
  Random random(5);
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<Box> boxes = random_partition(random, Box::whole({{8, 16, 2, 32, 32}}), 200);
    boxes.push_back(boxes[static_cast<std::size_t>(random.integer(0, std::ssize(boxes) - 1))]);
    const auto overlap = find_overlap(boxes);
    ASSERT_TRUE(overlap.has_value());
    EXPECT_FALSE(intersect(boxes[overlap->first], boxes[overlap->second]).is_empty());
  }
}

TEST(Partition, AgreesWithAllPairs) {
  Random random(7);
  int overlapping = 0;
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<Box> boxes;
    const index_t count = random.integer(0, 30);
    for (index_t k = 0; k < count; ++k) {
      boxes.push_back(random_box(random, 40));
      for (Axis axis : all_axes) boxes.back()[axis].hi = std::min(boxes.back()[axis].hi, boxes.back()[axis].lo + 14);
    }
    EXPECT_EQ(find_overlap(boxes).has_value(), has_overlap(boxes));
    overlapping += has_overlap(boxes) ? 1 : 0;
  }
  EXPECT_GT(overlapping, 40);
  EXPECT_LT(overlapping, 360);
}

TEST(Remainder, IsDisjointAndCompletesTheHole) {
  Random random(11);
  for (int trial = 0; trial < 400; ++trial) {
    const Box from = random_box(random, 6), hole = random_box(random, 6);
    std::vector<Box> parts;
    for_each_remainder(from, hole, [&](const Box& part) { parts.push_back(part); });
    index_t elems = volume(intersect(from, hole));
    for (const Box& part : parts) {
      EXPECT_TRUE(from.contains(part));
      EXPECT_TRUE(intersect(part, hole).is_empty());
      elems += volume(part);
    }
    EXPECT_FALSE(has_overlap(parts));
    EXPECT_EQ(elems, volume(from));
  }
}

}  // namespace
}  // namespace parconv::verify
