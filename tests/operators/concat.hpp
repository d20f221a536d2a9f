// SPDX-License-Identifier: Apache-2.0
// Concat.
#pragma once

#include <algorithm>

#include "operators/operator_test.hpp"

namespace parconv::test {

inline ValueId concat_of_branches(RandomNetworkBuilder& builder, ValueId src) {
  const ValueId left = builder.conv(src, {.oc = 17});
  return builder.concat({left, src, builder.conv(src, {.oc = 16, .window = flat(same3, same3)})});
}

/// Concatenates parts of an input, cut along an axis, in another order.
inline ValueId joined_parts(RandomNetworkBuilder& builder, ValueId src, Axis axis) {
  const index_t extent = builder.extents(src)[axis], cut = extent / 3;
  Resample low, high;
  low[axis] = {TakeAxis{.start = 0}, cut};
  high[axis] = {TakeAxis{.start = cut}, extent - cut};
  return builder.concat({builder.resample(src, high), src, builder.resample(src, low)}, axis);
}

template <>
struct OperatorTest<Concat> {
  static constexpr int weight = 2;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    Random& random = builder.random();
    if (random.once_in(2)) return builder.concat({src, builder.relu(src), src});
    constexpr std::array along{Axis::C, Axis::D, Axis::H, Axis::W};
    const Axis axis = along[static_cast<std::size_t>(random.integer(builder.extents(src)[Axis::D] > 1 ? 1 : 0, 3))];
    const bool is_depth_of_a_plane = axis == Axis::D && builder.extents(src)[Axis::D] == 1;
    if (is_depth_of_a_plane) return builder.concat({src, builder.relu(src)});
    Resample part;
    const index_t extent = builder.extents(src)[axis];
    const index_t start = random.integer(0, extent - 1);
    part[axis] = {TakeAxis{.start = start}, random.integer(1, extent - start)};
    return builder.concat({src, builder.resample(src, part), builder.relu(src)}, axis);
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    cases.push_back({"concat", image, 4, concat_of_branches});
    const auto parts_along = [](Axis axis) {
      return [axis](RandomNetworkBuilder& builder, ValueId src) { return joined_parts(builder, src, axis); };
    };
    cases.push_back({"parts of rows", image, 4, parts_along(Axis::H)});
    cases.push_back({"parts of columns", image, 4, parts_along(Axis::W)});
    cases.push_back({"parts of channels", deep_image, 4, parts_along(Axis::C)});
    cases.push_back({"parts of slices", cube, 5, parts_along(Axis::D)});
    const auto take = [](Axis axis, const ResampledAxis& to) {
      Resample op;
      op[axis] = to;
      return [op](RandomNetworkBuilder& builder, ValueId src) { return builder.resample(src, op); };
    };
    cases.push_back({"rows backwards", image, 4, take(Axis::H, {TakeAxis{.start = 12, .step = -2}, 7})});
    cases.push_back({"channels backwards", image, 4, take(Axis::C, {TakeAxis{.start = 23, .step = -1}, 24})});
    cases.push_back({"columns again", image, 4, take(Axis::W, {TakeAxis{.border = Border::Wrap}, 33})});
    cases.push_back({"channels again", image, 4, take(Axis::C, {TakeAxis{.start = -5, .border = Border::Wrap}, 40})});
    cases.push_back({"one row over and over", image, 4, take(Axis::H, {TakeAxis{.start = 3, .step = 0}, 9})});
  }
};

}  // namespace parconv::test
