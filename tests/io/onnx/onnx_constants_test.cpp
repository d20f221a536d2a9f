// SPDX-License-Identifier: Apache-2.0
// Reading boxes of filters: every box of every layout, from memory and from a file.
#include <fstream>
#include <numeric>

#include "io/onnx/onnx_test.hpp"
#include "parconv/io/constants.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

struct Layout {
  index_t oc = 1;
  index_t ic = 1;
  std::array<index_t, 3> kernel{1, 1, 1};
  /// Storage order of the axes oc, ic, kd, kh, kw, slowest first.
  std::array<int, 5> order{0, 1, 2, 3, 4};
};

index_t size_of_axis(const Layout& layout, int axis) {
  return axis == 0 ? layout.oc : axis == 1 ? layout.ic : layout.kernel[static_cast<std::size_t>(axis) - 2];
}

Filter filter_of(const Layout& layout) {
  Filter filter{.oc = layout.oc, .ic_per_group = layout.ic, .kernel = layout.kernel};
  index_t stride = 1;
  for (std::size_t k = 5; k-- > 0;) {
    filter.strides[static_cast<std::size_t>(layout.order[k])] = stride;
    stride *= size_of_axis(layout, layout.order[k]);
  }
  filter.data.count = stride;
  return filter;
}

std::vector<Interval> intervals_of(const FilterBox& box) { return {box.oc, box.ic, box.kernel[0], box.kernel[1], box.kernel[2]}; }

/// Oracle by five plain loops; element i of the data is i.
std::vector<float> expected_values(const Filter& filter, const FilterBox& box) {
  std::vector<float> values;
  const std::vector<Interval> axes = intervals_of(box);
  for (index_t a = axes[0].lo; a < axes[0].hi; ++a)
    for (index_t b = axes[1].lo; b < axes[1].hi; ++b)
      for (index_t c = axes[2].lo; c < axes[2].hi; ++c)
        for (index_t d = axes[3].lo; d < axes[3].hi; ++d)
          for (index_t e = axes[4].lo; e < axes[4].hi; ++e) {
            const std::array<index_t, 5> at{a, b, c, d, e};
            const index_t index = std::inner_product(at.begin(), at.end(), filter.strides.begin(), index_t{0});
            const float scale = filter.scale ? (*filter.scale)[static_cast<std::size_t>(a)] : 1.0F;
            values.push_back(static_cast<float>(index) * scale);
          }
  return values;
}

Interval random_interval(Random& random, index_t size) {
  const index_t lo = random.integer(0, size - 1);
  return random.once_in(3) ? Interval{0, size} : Interval{lo, random.integer(lo, size)};
}

FilterBox random_box(Random& random, const Filter& filter) {
  FilterBox box{.oc = random_interval(random, filter.oc), .ic = random_interval(random, filter.ic_per_group)};
  for (std::size_t k = 0; k < 3; ++k) box.kernel[k] = random_interval(random, filter.kernel[k]);
  return box;
}

std::vector<float> iota(index_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

/// The same data in memory and in a file, after 12 other bytes.
std::vector<Filter> with_data(const Filter& filter, const std::string& path) {
  Filter in_memory = filter;
  in_memory.data.values = std::make_shared<const std::vector<float>>(iota(filter.data.count));
  std::ofstream(path, std::ios::binary) << "twelve bytes" << float_tensor({}, *in_memory.data.values).bytes;
  Filter in_file = filter;
  in_file.data.file = path;
  in_file.data.offset_bytes = 12;
  return {in_memory, in_file};
}

TEST(Constants, EveryBoxOfEveryLayout) {
  const TemporaryFolder folder;
  const FilterReader read_filter = make_filter_reader();
  Random random(3);
  for (int k = 0; k < 300; ++k) {
    Layout layout{.oc = random.integer(1, 9), .ic = random.integer(1, 7)};
    for (index_t& size : layout.kernel) size = random.integer(1, 4);
    for (std::size_t i = 4; i > 0; --i)
      std::swap(layout.order[i], layout.order[static_cast<std::size_t>(random.integer(0, static_cast<index_t>(i)))]);
    Filter filter = filter_of(layout);
    if (random.once_in(2)) filter.scale = std::make_shared<const std::vector<float>>(random.small_integers(filter.oc));
    const FilterBox box = random_box(random, filter);
    for (const Filter& each : with_data(filter, folder / "data"))
      ASSERT_EQ(read_filter(each, box), expected_values(filter, box)) << k << (each.data.values ? " in memory" : " in a file");
  }
}

/// Distant runs, and more data than one read.
TEST(Constants, LargeMatrices) {
  const TemporaryFolder folder;
  const FilterReader read_filter = make_filter_reader();
  for (const auto& order : {std::array<int, 5>{0, 1, 2, 3, 4}, std::array<int, 5>{1, 2, 3, 4, 0}}) {
    const Filter filter = filter_of({.oc = 3000, .ic = 100, .kernel = {1, 2, 1}, .order = order});
    const Filter in_file = with_data(filter, folder / "data")[1];
    for (const Interval oc : {Interval{0, 3000}, Interval{0, 1}, Interval{1500, 1600}, Interval{2999, 3000}, Interval{5, 5}})
      for (const Interval ic : {Interval{0, 100}, Interval{99, 100}, Interval{10, 20}}) {
        const FilterBox box{.oc = oc, .ic = ic, .kernel = {{{0, 1}, {0, 2}, {0, 1}}}};
        ASSERT_EQ(read_filter(in_file, box), expected_values(filter, box)) << oc << ic;
      }
  }
}

TEST(Constants, Fills) {
  Filter filter = filter_of({.oc = 2, .ic = 3});
  filter.data.is_fill = true;
  filter.data.fill = 2.5F;
  filter.scale = std::make_shared<const std::vector<float>>(std::vector<float>{1, 2});
  EXPECT_THAT(make_filter_reader()(filter, {.oc = {0, 2}, .ic = {1, 2}, .kernel = {{{0, 1}, {0, 1}, {0, 1}}}}),
              testing::ElementsAre(2.5F, 5.0F));
  EXPECT_THAT(read_constant(filter.data), testing::ElementsAre(2.5F, 2.5F, 2.5F, 2.5F, 2.5F, 2.5F));
}

TEST(Constants, ABoxOutsideTheDataIsABug) {
  Filter filter = filter_of({.oc = 2, .ic = 3});
  filter.data.is_fill = true;
  EXPECT_THROW(make_filter_reader()(filter, {.oc = {0, 3}, .ic = {0, 3}, .kernel = {{{0, 1}, {0, 1}, {0, 1}}}}), Bug);
}

}  // namespace
}  // namespace parconv::test
