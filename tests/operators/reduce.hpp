// SPDX-License-Identifier: Apache-2.0
// Sums over space, and reductions over any axes.
#pragma once

#include "operators/operator_test.hpp"

namespace parconv::test {

template <>
struct OperatorTest<RowSum> {
  static constexpr int weight = 1;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) { return builder.global_average(src); }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto global = [](RandomNetworkBuilder& builder, ValueId src) { return builder.global_average(src); };
    cases.push_back({"global average", image, 4, global});
    cases.push_back({"global average in 3-D", cube, 5, global});
  }
};

template <>
struct KindTest<LocalRowSum> {
  static constexpr int calls = 100;

  static std::vector<LiteralCall> literal_calls() {
    return {{LocalRowSum{}, {{{1, 2, 1, 1, 3}}, {1, 2, 3, 10, 20, 30}}, {{{1, 2, 1, 1, 1}}, {6, 60}}}};
  }

  static TestCall draw(LocalOpGenerator& g) {
    Extents out = g.extents(g.channels());
    TestCall call;
    call.srcs.push_back(g.operand(out));
    out[Axis::W] = 1;
    call.op.kind = LocalRowSum{};
    return g.finished(std::move(call), out);
  }
};

template <>
struct OperatorTest<ReduceAxes> {
  static constexpr int weight = 1;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    Random& random = builder.random();
    const auto kind = static_cast<ReduceKind>(random.integer(0, 2));
    std::array<bool, num_axes> axes{};
    for (std::size_t k = 1; k < axes.size(); ++k) axes[k] = random.once_in(2);
    return builder.reduce(src, kind, axes);
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto reduce = [](ReduceKind kind, std::array<bool, num_axes> axes) {
      return [=](RandomNetworkBuilder& builder, ValueId src) { return builder.reduce(src, kind, axes); };
    };
    cases.push_back({"largest of all", image, 4, reduce(ReduceKind::Max, {false, true, true, true, true})});
    cases.push_back({"smallest of columns and channels", cube, 5, reduce(ReduceKind::Min, {false, true, false, false, true})});
    cases.push_back({"sum of rows", image, 4, reduce(ReduceKind::Sum, {false, false, false, true, false})});
    cases.push_back({"sum of a sequence", signal, 3, reduce(ReduceKind::Sum, {false, false, true, true, false})});
    const auto of_channels = [](RandomNetworkBuilder& builder, ValueId src) {
      return builder.reduce(builder.conv(builder.row_sum(src), {.oc = 1, .has_bias = false}), ReduceKind::Sum,
                            {false, false, true, true, false});
    };
    cases.push_back({"sum of all in three steps", image, 4, of_channels});
  }
};

template <>
struct KindTest<LocalReduce> {
  static constexpr int calls = 300;

  static TestCall draw(LocalOpGenerator& g) {
    constexpr std::array kinds{ReduceKind::Sum, ReduceKind::Max, ReduceKind::Min, ReduceKind::Product};
    LocalReduce reduce{.kind = g.any_of(kinds)};
    if (reduce.kind == ReduceKind::Sum) reduce.count = g.random().integer(1, 50);
    Extents out = g.extents(g.channels());
    TestCall call;
    call.srcs.push_back(g.operand(out));
    for (Axis axis : all_axes) {
      const bool is_marked = g.random().once_in(2);
      reduce.axes[static_cast<std::size_t>(axis)] = is_marked;
      if (is_marked) out[axis] = 1;
    }
    call.op.kind = reduce;
    return g.finished(std::move(call), out);
  }
};

}  // namespace parconv::test
