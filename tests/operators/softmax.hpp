// SPDX-License-Identifier: Apache-2.0
// Softmax, LogSoftmax and Hardmax.
#pragma once

#include <limits>

#include "operators/operator_test.hpp"

namespace parconv::test {

template <>
struct OperatorTest<Softmax> {
  static constexpr int weight = 1;
  static constexpr bool is_rounded = true;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    return builder.softmax(src, builder.random().once_in(2) ? Axis::C : Axis::H);
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto softmax = [](RandomNetworkBuilder& builder, ValueId src) { return builder.softmax(src); };
    const auto softmax_of_rows = [](RandomNetworkBuilder& builder, ValueId src) { return builder.softmax(src, Axis::H); };
    cases.push_back({"softmax", matrix, 2, softmax});
    cases.push_back({"softmax over rows", image, 4, softmax_of_rows});
  }
};

/// A part of a result along any axes, of a kind with `axes` and `dst_offset`.
template <class Kind>
TestCall part_of_rows(LocalOpGenerator& g, Kind kind) {
  const Extents src = g.extents(g.channels());
  Extents out = src;
  for (Axis axis : all_axes) {
    kind.axes[static_cast<std::size_t>(axis)] = g.random().once_in(2);
    const Interval part = g.part_of(src[axis]);
    kind.dst_offset[axis] = part.lo;
    out[axis] = part.size();
  }
  TestCall call;
  call.srcs.push_back(g.operand(src));
  call.op.kind = kind;
  return g.finished(std::move(call), out);
}

template <>
struct KindTest<LocalSoftmax> {
  static constexpr int calls = 100;
  static constexpr bool is_rounded = true;

  static TestCall draw(LocalOpGenerator& g) { return part_of_rows(g, LocalSoftmax{.is_logarithm = g.random().once_in(2)}); }
};

template <>
struct OperatorTest<Hardmax> {
  static constexpr int weight = 1;

  static Hardmax along(Axis axis) {
    Hardmax op;
    op.axes[static_cast<std::size_t>(axis)] = true;
    return op;
  }

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    Hardmax op;
    for (std::size_t k = 1; k < op.axes.size(); ++k) op.axes[k] = builder.random().once_in(2);
    return builder.add(op, {src});
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    cases.push_back({"hardmax", matrix, 2, operator_of(along(Axis::C))});
    cases.push_back({"hardmax over rows", image, 4, operator_of(along(Axis::H))});
    cases.push_back({"hardmax over columns", deep_image, 4, operator_of(along(Axis::W))});
    cases.push_back({"hardmax over slices", cube, 5, operator_of(along(Axis::D))});
    cases.push_back({"hardmax over all but samples", image, 4, operator_of(Hardmax{{false, true, true, true, true}})});
  }
};

template <>
struct KindTest<LocalHardmax> {
  static constexpr int calls = 200;

  static TestCall draw(LocalOpGenerator& g) { return part_of_rows(g, LocalHardmax{}); }

  /// Rows of (c, h) = (3, 4): the first of equal elements wins, also among -infinity.
  static std::vector<LiteralCall> literal_calls() {
    constexpr Extents extents{{1, 3, 1, 4, 1}};
    constexpr float none = -std::numeric_limits<float>::infinity();
    const std::vector<float> x{1, 5, 5, 0, none, none, none, none, 2, 5, -1, 7};
    return {
        {LocalHardmax{.axes = {false, false, false, true, false}}, {extents, x}, {extents, {0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1}}},
        {LocalHardmax{.axes = {false, true, false, false, false}}, {extents, x}, {extents, {0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1}}},
        {LocalHardmax{.axes = {false, true, false, true, false}}, {extents, x}, {extents, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}},
        {LocalHardmax{.axes = {false, false, false, true, false}, .dst_offset = {{0, 0, 0, 1, 0}}},
         {extents, x},
         {{{1, 3, 1, 2, 1}}, {1, 0, 0, 0, 0, 0}}}};
  }
};

}  // namespace parconv::test
