// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/transfers.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <tuple>

#include "geometry/random_distribution.hpp"
#include "parconv/geometry/window.hpp"
#include "support/shrink.hpp"

namespace parconv::test {
namespace {

const Extents small{{2, 4, 2, 5, 4}};
constexpr int num_ranks = 13;

/// A tensor of `extents` cut along h into `blocks`, one per rank.
Distribution by_rows(const Extents& extents, std::vector<Interval> blocks) {
  std::array<AxisPartition, num_axes> axes;
  for (Axis axis : all_axes) axes[static_cast<std::size_t>(axis)].blocks = {{0, extents[axis]}};
  const int count = static_cast<int>(blocks.size());
  axes[static_cast<std::size_t>(Axis::H)] = {std::move(blocks), {GridAxis::H}};
  return Distribution({.parts = {{1, 1, 1, 1, count, 1}}}, axes);
}

/// Count of visits of each element of a tensor, in row-major order.
class Counts {
 public:
  explicit Counts(const Extents& extents) : extents_(extents), counts_(static_cast<std::size_t>(volume(extents)), 0) {}

  void add(const Box& box, int by) {
    for_each(box, [&](std::size_t k) { counts_[k] += by; });
  }
  /// True if each element of `box` was visited `times` times, and no other element at all.
  bool are(int times, const Box& box) const {
    std::vector<int> expected(counts_.size(), 0);
    for_each(box, [&](std::size_t k) { expected[k] = times; });
    return expected == counts_;
  }

 private:
  template <class Visit>
  void for_each(const Box& box, Visit&& visit) const {
    visit_axis(0, 0, box, visit);
  }

  template <class Visit>
  void visit_axis(std::size_t axis, index_t offset, const Box& box, Visit&& visit) const {
    if (axis == num_axes) return visit(static_cast<std::size_t>(offset));
    for (index_t i = box.intervals[axis].lo; i < box.intervals[axis].hi; ++i)
      visit_axis(axis + 1, offset * extents_.values[axis] + i, box, visit);
  }

  Extents extents_;
  std::vector<int> counts_;
};

auto key(const Transfer& t) {
  std::array<index_t, 10> borders{};
  for (std::size_t a = 0; a < num_axes; ++a) {
    borders[2 * a] = t.box.intervals[a].lo;
    borders[2 * a + 1] = t.box.intervals[a].hi;
  }
  return std::tuple(t.to, t.from, borders);
}

std::vector<Transfer> sorted(std::vector<Transfer> list) {
  std::sort(list.begin(), list.end(), [](const Transfer& a, const Transfer& b) { return key(a) < key(b); });
  return list;
}

template <class OfRank>
std::vector<Transfer> of_all_ranks(OfRank&& of_rank) {
  std::vector<Transfer> all;
  for (int rank = 0; rank < num_ranks; ++rank)
    for (const Transfer& transfer : of_rank(rank)) all.push_back(transfer);
  return sorted(all);
}

TEST(Transfers, HaloOfThreeRanks) {
  const Extents rows{{1, 8, 1, 9, 4}};
  const Distribution have = by_rows(rows, {{0, 3}, {3, 6}, {6, 9}});
  const Distribution need = by_rows(rows, {{0, 4}, {2, 7}, {5, 9}});
  const Box whole = Box::whole(rows);
  EXPECT_EQ(receives(have, need, 1),
            (std::vector<Transfer>{{0, 1, whole.with(Axis::H, {2, 3})}, {2, 1, whole.with(Axis::H, {6, 7})}}));
  EXPECT_EQ(sends(have, need, 0), (std::vector<Transfer>{{0, 1, whole.with(Axis::H, {2, 3})}}));
  EXPECT_EQ(transfers(have, need).size(), 4U);
}

TEST(Transfers, HaloWiderThanANeighboursShard) {
  const Extents rows{{1, 1, 1, 6, 1}};
  const Distribution have = by_rows(rows, {{0, 1}, {1, 2}, {2, 3}, {3, 6}});
  const Distribution need = by_rows(rows, {{0, 1}, {}, {}, {0, 6}});
  const Box whole = Box::whole(rows);
  EXPECT_EQ(receives(have, need, 3),
            (std::vector<Transfer>{
                {0, 3, whole.with(Axis::H, {0, 1})}, {1, 3, whole.with(Axis::H, {1, 2})}, {2, 3, whole.with(Axis::H, {2, 3})}}));
}

TEST(Transfers, OneOfSeveralReplicasSends) {
  const Extents one{{1, 1, 1, 1, 1}};
  std::array<AxisPartition, num_axes> whole;
  for (AxisPartition& axis : whole) axis.blocks = {{0, 1}};
  const Distribution have({.parts = {{1, 3, 1, 1, 1, 1}}}, whole);
  const Distribution need({.parts = {{1, 1, 1, 1, 6, 1}}}, whole);
  const Box box = Box::whole(one);
  EXPECT_EQ(transfers(have, need), (std::vector<Transfer>{{0, 3, box}, {1, 4, box}, {2, 5, box}})) << "spread by receiver";
}

TEST(Transfers, EveryNeededElementIsOwnedOrArrivesOnce) {
  const auto property = [](Random& random) {
    const Distribution have = random_owners(random, small, num_ranks, true);
    const Distribution need = random_needs(random, small, num_ranks);
    for (int rank = 0; rank < num_ranks; ++rank) {
      Counts counts(small);
      counts.add(intersect(have.box(rank), need.box(rank)), 1);
      for (const Transfer& transfer : receives(have, need, rank)) {
        EXPECT_EQ(transfer.to, rank);
        EXPECT_NE(transfer.from, rank);
        EXPECT_TRUE(have.box(transfer.from).contains(transfer.box)) << "the sender owns what it sends";
        counts.add(transfer.box, 1);
      }
      ASSERT_TRUE(counts.are(1, need.box(rank))) << "rank " << rank;
    }
  };
  for_all(property, {.count = 400});
}

TEST(Transfers, SendsMirrorReceives) {
  const auto property = [](Random& random) {
    const Distribution have = random_owners(random, small, num_ranks, true);
    const Distribution need = random_needs(random, small, num_ranks);
    const auto received = of_all_ranks([&](int rank) { return receives(have, need, rank); });
    ASSERT_EQ(of_all_ranks([&](int rank) { return sends(have, need, rank); }), received);
    ASSERT_EQ(sorted(transfers(have, need)), received);
  };
  for_all(property, {.count = 1000});
}

TEST(Transfers, NothingMovesIfEverybodyHasWhatItNeeds) {
  const auto property = [](Random& random) {
    const Distribution have = random_owners(random, small, num_ranks, true);
    EXPECT_TRUE(transfers(have, have).empty());
  };
  for_all(property, {.count = 200});
}

TEST(Contributions, OfTwoHalvesOfTheInputChannels) {
  const Extents out{{1, 4, 1, 1, 1}};
  std::array<AxisPartition, num_axes> axes;
  for (Axis axis : all_axes) axes[static_cast<std::size_t>(axis)].blocks = {{0, out[axis]}};
  const Grid grid{.parts = {{1, 1, 2, 1, 1, 1}}};
  const Distribution computed(grid, axes);
  axes[static_cast<std::size_t>(Axis::C)] = {{{0, 2}, {2, 4}}, {GridAxis::C}};
  const Distribution owned(grid, axes);
  const Box low = Box::whole(out).with(Axis::C, {0, 2});
  const Box high = Box::whole(out).with(Axis::C, {2, 4});
  EXPECT_EQ(contributions_to(computed, owned, 1), (std::vector<Transfer>{{0, 1, high}, {1, 1, high}}));
  EXPECT_EQ(contributions_from(computed, owned, 0), (std::vector<Transfer>{{0, 0, low}, {0, 1, high}}));
}

/// Number of ranks that compute partial sums of the same elements: the size of a replica group.
int num_replicas(const Distribution& computed) { return static_cast<int>(computed.replica_offsets().size()); }

TEST(Contributions, CoverWhatIsOwnedOnceForEveryReplica) {
  const auto property = [](Random& random) {
    const Distribution computed = random_owners(random, small, num_ranks, true);
    const Distribution owned = random_owners(random, small, num_ranks, true);
    for (int owner = 0; owner < num_ranks; ++owner) {
      Counts counts(small);
      int previous = -1;
      for (const Transfer& transfer : contributions_to(computed, owned, owner)) {
        EXPECT_TRUE(computed.box(transfer.from).contains(transfer.box));
        EXPECT_LE(previous, transfer.from) << "summed in order of the ranks";
        previous = transfer.from;
        counts.add(transfer.box, 1);
      }
      ASSERT_TRUE(counts.are(num_replicas(computed), owned.box(owner))) << "owner " << owner;
    }
    ASSERT_EQ(of_all_ranks([&](int rank) { return contributions_from(computed, owned, rank); }),
              of_all_ranks([&](int rank) { return contributions_to(computed, owned, rank); }));
  };
  for_all(property, {.count = 400});
}

/// A large image split along rows and columns with the halo of a 3x3 window, on 64 x 64 ranks.
TEST(Transfers, HaloOf4096RanksIsFound) {
  const Extents image{{1, 16, 1, 4099, 4001}};
  const WindowAxis window{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  std::array<AxisPartition, num_axes> have_axes;
  for (Axis axis : all_axes) have_axes[static_cast<std::size_t>(axis)].blocks = {{0, image[axis]}};
  auto need_axes = have_axes;
  for (const auto& [axis, by] : {std::pair(Axis::H, GridAxis::H), std::pair(Axis::W, GridAxis::W)}) {
    AxisPartition& have = have_axes[static_cast<std::size_t>(axis)];
    have = {blocks_of(block_cuts(image[axis], 64)), {by}};
    AxisPartition& need = need_axes[static_cast<std::size_t>(axis)];
    need = have;
    for (Interval& block : need.blocks) block = window.clipped_input_range(block, image[axis]);
  }
  const Grid grid{.parts = {{1, 1, 1, 1, 64, 64}}};
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Transfer> moved = transfers(Distribution(grid, have_axes), Distribution(grid, need_axes));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::cout << moved.size() << " transfers of 4096 ranks in " << seconds.count() * 1e3 << " ms\n";
  const std::size_t rows = 63;     // 4099 rows in 64 parts of 65: 63 full ones and one of 4 rows, in the 64th part
  const std::size_t columns = 63;  // 4001 columns in parts of 63: 63 full ones and 32 columns
  EXPECT_EQ(moved.size(), 2 * rows * 64 + 2 * columns * 64 + 4 * rows * columns);
}

}  // namespace
}  // namespace parconv::test
