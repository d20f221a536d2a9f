// SPDX-License-Identifier: Apache-2.0
// Which rank counts which element of an input.
#include "session/files/input_nans.hpp"

#include <gtest/gtest.h>

#include "parconv/program/layout.hpp"
#include "support/network_builder.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

Box box(Interval h, Interval w) { return Box::whole({{1, 3, 1, 8, 8}}).with(Axis::H, h).with(Axis::W, w); }

TEST(CountedPart, IsWithoutHalosOfLowerRanks) {
  Grid grid;
  grid.parts[GridAxis::H] = grid.parts[GridAxis::W] = 2;
  std::array<AxisPartition, num_axes> axes;
  for (Axis axis : all_axes) axes[static_cast<std::size_t>(axis)] = {{box({0, 8}, {0, 8})[axis]}, {}};
  axes[static_cast<std::size_t>(Axis::H)] = {{{0, 5}, {3, 8}}, {GridAxis::H}};
  axes[static_cast<std::size_t>(Axis::W)] = {{{0, 5}, {3, 8}}, {GridAxis::W}};
  const Distribution need(grid, axes);
  EXPECT_EQ(counted_part(need, 0), box({0, 5}, {0, 5}));
  EXPECT_EQ(counted_part(need, 1), box({0, 5}, {5, 8}));
  EXPECT_EQ(counted_part(need, 2), box({5, 8}, {0, 5}));
  EXPECT_EQ(counted_part(need, 3), box({5, 8}, {5, 8}));
  EXPECT_TRUE(counted_part(need, 4).is_empty()) << "outside the grid";
}

TEST(CountedPart, CoversEveryLoadedElementOnce) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    RandomNetworkBuilder builder(seed, Weights::SmallIntegers);
    const Extents extents{{2, 4, 1, 12, 10}};
    const WindowAxis along{.kernel = random.integer(1, 5), .stride = random.integer(1, 2), .pad_lo = 1, .pad_hi = 1};
    const ValueId src = builder.input(extents);
    const Network network = builder.build({builder.conv(src, {.oc = 4, .window = {{WindowAxis{}, along, along}}})});
    for (const char* split : {"h=4", "w=4", "h=2,w=2", "f=4", "c=4", "n=2,h=2", "f=2,w=2"}) {
      const Layout layout = lay_out(network, make_plan(network, parse_split(split, 4, 2), 4), {});
      const Distribution& need = layout.deliveries.front().need;
      ASSERT_EQ(layout.deliveries.front().value, src);
      std::vector<int> loaded(static_cast<std::size_t>(volume(extents))), counted = loaded;
      const auto mark = [&](const Box& part, std::vector<int>& marks) {
        for (index_t k = 0; k < volume(extents); ++k) {
          index_t rest = k;
          Extents at;
          for (auto axis = all_axes.rbegin(); axis != all_axes.rend(); ++axis) {
            at[*axis] = rest % extents[*axis];
            rest /= extents[*axis];
          }
          const bool is_inside = std::all_of(all_axes.begin(), all_axes.end(),
                                             [&](Axis axis) { return part[axis].lo <= at[axis] && at[axis] < part[axis].hi; });
          if (is_inside) ++marks[static_cast<std::size_t>(k)];
        }
      };
      for (int rank = 0; rank < 4; ++rank) {
        mark(need.box(rank), loaded);
        mark(counted_part(need, rank), counted);
      }
      for (std::size_t k = 0; k < loaded.size(); ++k) ASSERT_EQ(counted[k], loaded[k] > 0 ? 1 : 0) << split << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace parconv::test
