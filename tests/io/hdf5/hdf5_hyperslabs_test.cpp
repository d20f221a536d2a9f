// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_hyperslabs.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/random.hpp"

namespace parconv::hdf5 {
namespace {

const std::vector<Axis> nchw{Axis::N, Axis::C, Axis::H, Axis::W};
const std::vector<Axis> nhwc{Axis::N, Axis::H, Axis::W, Axis::C};

Box box_of(Interval n, Interval c, Interval h, Interval w) { return Box{{n, c, Interval{0, 1}, h, w}}; }

Storage contiguous(const std::vector<Axis>& axes, const Extents& extents) { return {.axes = axes, .extents = extents}; }

TEST(Hyperslabs, TakeAllChannelsOfAFewRows) {
  const Storage storage = contiguous(nchw, {{2, 8, 1, 100, 50}});
  const Hyperslabs slabs = make_hyperslabs(storage, Box::whole(storage.extents), 8 * 50 * 4 * 3 + 100);
  EXPECT_EQ(slabs.extents, (Extents{{1, 8, 1, 3, 50}}));
}

TEST(Hyperslabs, FollowTheChunkGrid) {
  Storage storage = contiguous(nchw, {{1, 4, 1, 100, 64}});
  storage.is_contiguous = false;
  storage.chunk = {{1, 4, 1, 16, 32}};
  const Hyperslabs slabs = make_hyperslabs(storage, box_of({0, 1}, {0, 4}, {20, 90}, {40, 64}), 4 * 32 * 32 * 4);
  EXPECT_EQ(slabs.first, (Extents{{0, 0, 0, 16, 32}}));
  EXPECT_EQ(slabs.extents, (Extents{{1, 4, 1, 32, 32}}));
}

TEST(Hyperslabs, OfAnOversizedChunkFit) {
  Storage storage = contiguous(nchw, {{1, 64, 1, 1000, 1000}});
  storage.is_contiguous = false;
  storage.chunk = storage.extents;
  const Hyperslabs slabs = make_hyperslabs(storage, Box::whole(storage.extents), 1000 * 1000);
  EXPECT_LE(volume(slabs.extents) * 4, 1000 * 1000);
  EXPECT_EQ(slabs.extents[Axis::W], 1000);
}

TEST(Hyperslabs, TileRandomBoxesWithinTheBudget) {
  test::Random random(3);
  for (int trial = 0; trial < 300; ++trial) {
    Storage storage = contiguous(random.once_in(2) ? nchw : nhwc, {});
    storage.is_contiguous = random.once_in(2);
    Box box;
    for (Axis axis : all_axes) {
      storage.extents[axis] = axis == Axis::D ? 1 : random.integer(1, 9);
      storage.chunk[axis] = storage.is_contiguous ? 1 : random.integer(1, storage.extents[axis]);
      box[axis].lo = random.integer(0, storage.extents[axis] - 1);
      box[axis].hi = random.integer(box[axis].lo + 1, storage.extents[axis]);
    }
    const index_t budget = random.integer(4, 2000);
    index_t covered = 0;
    std::set<std::array<index_t, 5>> corners;
    make_hyperslabs(storage, box, budget).for_each(storage.axes, [&](const Box& slab) {
      EXPECT_LE(volume(slab) * 4, budget);
      EXPECT_GT(volume(slab), 0);
      EXPECT_TRUE(box.contains(slab));
      covered += volume(slab);
      std::array<index_t, 5> corner{};
      for (std::size_t k = 0; k < corner.size(); ++k) corner[k] = slab.intervals[k].lo;
      EXPECT_TRUE(corners.insert(corner).second) << slab << " twice";
    });
    EXPECT_EQ(covered, volume(box));
  }
}

TEST(Widened, TakesWholeRowsWhereGapsAreSmall) {
  const Storage storage = contiguous(nchw, {{1, 2, 1, 64, 512}});
  const Box narrow = box_of({0, 1}, {0, 2}, {0, 64}, {64, 128});
  EXPECT_EQ(widened(storage, narrow), narrow.with(Axis::W, {0, 512}));
  const Box very_narrow = narrow.with(Axis::W, {0, 63});  // would read more than 8 times as much
  EXPECT_EQ(widened(storage, very_narrow), very_narrow);
}

TEST(Widened, LeavesLargeGapsChunksAndWholeRowsAlone) {
  const Storage wide = contiguous(nchw, {{1, 2, 1, 64, 4096}});
  const Box half = box_of({0, 1}, {0, 2}, {0, 64}, {0, 2048});
  EXPECT_EQ(widened(wide, half), half);
  const Storage pixels = contiguous(nhwc, {{1, 4, 1, 64, 512}});
  const Box one_channel = box_of({0, 1}, {1, 2}, {0, 64}, {0, 512});
  EXPECT_EQ(widened(pixels, one_channel), Box::whole(pixels.extents));
  Storage chunked = contiguous(nchw, {{1, 2, 1, 64, 512}});
  chunked.is_contiguous = false;
  const Box narrow = box_of({0, 1}, {0, 2}, {0, 64}, {64, 128});
  EXPECT_EQ(widened(chunked, narrow), narrow);
  const Storage small = contiguous(nchw, {{1, 2, 1, 64, 512}});
  const Box rows = box_of({0, 1}, {0, 2}, {8, 16}, {0, 512});
  EXPECT_EQ(widened(small, rows), rows);
}

}  // namespace
}  // namespace parconv::hdf5
