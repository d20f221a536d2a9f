// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/box.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "support/shrink.hpp"

namespace parconv::test {
namespace {

Box box_of(Interval n, Interval c, Interval d, Interval h, Interval w) { return {{n, c, d, h, w}}; }

TEST(Interval, SizeAndEmptiness) {
  EXPECT_EQ((Interval{2, 5}.size()), 3);
  EXPECT_EQ((Interval{5, 2}.size()), 0);
  EXPECT_TRUE((Interval{3, 3}.is_empty()));
  EXPECT_FALSE((Interval{-1, 0}.is_empty()));
}

TEST(Interval, ContainsEveryEmptyInterval) {
  EXPECT_TRUE((Interval{2, 5}.contains({2, 5})));
  EXPECT_FALSE((Interval{2, 5}.contains({1, 3})));
  EXPECT_FALSE((Interval{2, 5}.contains({4, 6})));
  EXPECT_TRUE((Interval{2, 5}.contains({9, 9})));
}

TEST(Interval, IntersectAndHullAgreeWithMembership) {
  const auto has = [](Interval i, index_t x) { return i.lo <= x && x < i.hi; };
  for (index_t a = 0; a <= 4; ++a)
    for (index_t b = 0; b <= 4; ++b)
      for (index_t c = 0; c <= 4; ++c)
        for (index_t d = 0; d <= 4; ++d) {
          const Interval first{a, b};
          const Interval second{c, d};
          for (index_t x = 0; x < 4; ++x) {
            EXPECT_EQ(has(intersect(first, second), x), has(first, x) && has(second, x));
            EXPECT_TRUE(has(hull(first, second), x) || !(has(first, x) || has(second, x)));
          }
          EXPECT_TRUE(hull(first, second).contains(first) && hull(first, second).contains(second));
          EXPECT_LE(hull(first, second).size(), 4);
        }
}

TEST(Interval, HullWithAnEmptyOneIsTheOther) {
  EXPECT_EQ((hull(Interval{0, 0}, Interval{7, 9})), (Interval{7, 9}));
  EXPECT_EQ((hull(Interval{7, 9}, Interval{20, 20})), (Interval{7, 9}));
  EXPECT_EQ((hull(Interval{1, 2}, Interval{5, 6})), (Interval{1, 6}));
}

TEST(Box, WholeVolumeAndExtents) {
  const Extents extents{{2, 3, 1, 4, 5}};
  const Box whole = Box::whole(extents);
  EXPECT_EQ(volume(whole), 120);
  EXPECT_EQ(whole.extents(), extents);
  EXPECT_EQ(volume(whole.with(Axis::H, {1, 3})), 60);
  EXPECT_EQ(volume(whole.with(Axis::C, {3, 3})), 0);
  EXPECT_TRUE(whole.with(Axis::C, {3, 3}).is_empty());
  EXPECT_TRUE(Box{}.is_empty());
}

TEST(Box, ContainsEveryEmptyBox) {
  const Box whole = Box::whole({{1, 2, 1, 3, 3}});
  EXPECT_TRUE(whole.contains(whole));
  EXPECT_FALSE(whole.contains(whole.with(Axis::W, {1, 4})));
  EXPECT_TRUE(whole.contains(whole.with(Axis::W, {9, 9})));
}

TEST(Box, IntersectAndHull) {
  const Box a = box_of({0, 1}, {0, 8}, {0, 1}, {0, 4}, {2, 6});
  const Box b = box_of({0, 1}, {4, 12}, {0, 1}, {3, 5}, {0, 3});
  EXPECT_EQ(intersect(a, b), box_of({0, 1}, {4, 8}, {0, 1}, {3, 4}, {2, 3}));
  EXPECT_EQ(hull(a, b), box_of({0, 1}, {0, 12}, {0, 1}, {0, 5}, {0, 6}));
  EXPECT_EQ(hull(Box{}, b), b);
  EXPECT_TRUE(intersect(a, b.with(Axis::H, {4, 5})).is_empty());
}

TEST(Box, PrintsItsIntervals) {
  EXPECT_EQ(to_string(box_of({0, 1}, {0, 64}, {0, 1}, {0, 56}, {0, 224})), "n[0,1) c[0,64) h[0,56) w[0,224)");
  EXPECT_EQ(to_string(box_of({1, 2}, {0, 1}, {0, 1}, {0, 1}, {1, 2})), "n[1,2) c[0,1) w[1,2)");
  EXPECT_EQ(to_string(Extents{{1, 64, 1, 56, 224}}), "1x64x1x56x224");
}

/// Offsets of all elements of `inner` in a channels-last buffer of `outer`, in memory order.
std::vector<index_t> offsets_within(const Box& inner, const Box& outer) {
  std::vector<index_t> offsets{0};
  for (Axis axis : memory_axes) {
    std::vector<index_t> finer;
    for (index_t offset : offsets)
      for (index_t i = inner[axis].lo; i < inner[axis].hi; ++i) finer.push_back(offset * outer[axis].size() + i - outer[axis].lo);
    offsets = finer;
  }
  return offsets;
}

bool are_consecutive(const std::vector<index_t>& offsets) {
  for (std::size_t k = 1; k < offsets.size(); ++k)
    if (offsets[k] != offsets[k - 1] + 1) return false;
  return true;
}

TEST(IsContiguousWithin, RowsAreAndColumnsAreNot) {
  const Box sample = Box::whole({{1, 3, 1, 8, 6}});
  EXPECT_TRUE(is_contiguous_within(sample.with(Axis::H, {2, 5}), sample));
  EXPECT_FALSE(is_contiguous_within(sample.with(Axis::W, {2, 5}), sample));
  EXPECT_TRUE(is_contiguous_within(sample.with(Axis::H, {2, 3}).with(Axis::W, {2, 5}), sample));
  EXPECT_FALSE(is_contiguous_within(sample.with(Axis::C, {0, 2}), sample));
  const Box two = Box::whole({{2, 3, 1, 8, 6}});
  EXPECT_FALSE(is_contiguous_within(two.with(Axis::H, {2, 5}), two));
}

TEST(IsContiguousWithin, AgreesWithElementOffsets) {
  int contiguous = 0;
  const auto property = [&](Random& random) {
    Box outer;
    Box inner;
    for (Axis axis : all_axes) {
      const index_t lo = random.integer(-2, 2);
      outer[axis] = {lo, lo + random.integer(1, 3)};
      const index_t begin = random.integer(outer[axis].lo, outer[axis].hi - 1);
      inner[axis] = random.once_in(2) ? outer[axis] : Interval{begin, random.integer(begin + 1, outer[axis].hi)};
    }
    const bool expected = are_consecutive(offsets_within(inner, outer));
    EXPECT_EQ(is_contiguous_within(inner, outer), expected) << inner << " in " << outer;
    contiguous += expected ? 1 : 0;
  };
  for_all(property, {.count = 4000});
  EXPECT_GT(contiguous, 400);
  EXPECT_LT(contiguous, 3600);
}

}  // namespace
}  // namespace parconv::test
