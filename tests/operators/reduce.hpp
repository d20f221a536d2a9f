// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes, and of partial results.
#pragma once

#include "operators/operator_test.hpp"

namespace parconv::test {

template <>
struct OperatorTest<Reduction> {
  static constexpr int weight = 2;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    Random& random = builder.random();
    if (random.once_in(2)) return builder.global_average(src);
    const auto kind = static_cast<ReduceKind>(random.integer(0, 2));
    std::array<bool, num_axes> axes{};
    for (std::size_t k = 1; k < axes.size(); ++k) axes[k] = random.once_in(2);
    return builder.reduce(src, kind, axes);
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto global = [](RandomNetworkBuilder& builder, ValueId src) { return builder.global_average(src); };
    cases.push_back({"global average", image, 4, global});
    cases.push_back({"global average in 3-D", cube, 5, global});
    const auto reduce = [](ReduceKind kind, std::array<bool, num_axes> axes) {
      return [=](RandomNetworkBuilder& builder, ValueId src) { return builder.reduce(src, kind, axes); };
    };
    cases.push_back({"largest of all", image, 4, reduce(ReduceKind::Max, {false, true, true, true, true})});
    cases.push_back({"smallest of columns and channels", cube, 5, reduce(ReduceKind::Min, {false, true, false, false, true})});
    cases.push_back({"sum of rows", image, 4, reduce(ReduceKind::Sum, {false, false, false, true, false})});
    cases.push_back({"sum of a sequence", signal, 3, reduce(ReduceKind::Sum, {false, false, true, true, false})});
    cases.push_back({"sum of channels", deep_image, 4, reduce(ReduceKind::Sum, {false, true, false, false, false})});
    cases.push_back({"sum of columns", deep_image, 4, reduce(ReduceKind::Sum, {false, false, false, false, true})});
    cases.push_back({"sum of all but samples", cube, 5, reduce(ReduceKind::Sum, {false, true, true, true, true})});
    cases.push_back({"sum of samples and columns", image, 4, reduce(ReduceKind::Sum, {true, false, false, false, true})});
    cases.push_back({"sum of everything", image, 4, reduce(ReduceKind::Sum, {true, true, true, true, true})});
    cases.push_back({"product of rows and channels", image, 4, reduce(ReduceKind::Product, {false, true, false, true, false})});
  }
};

template <>
struct KindTest<LocalReduce> {
  static constexpr int calls = 400;

  static std::vector<LiteralCall> literal_calls() {
    const LocalReduce over_columns{.axes = {false, false, false, false, true}};
    return {{over_columns, {{{1, 2, 1, 1, 3}}, {1, 2, 3, 10, 20, 30}}, {{{1, 2, 1, 1, 1}}, {6, 60}}},
            {over_columns, {{{1, 1, 1, 1, 4}}, {1e30F, 1, -1e30F, 2}}, {{{1, 1, 1, 1, 1}}, {3}}}};
  }

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

/// Maxima and minima; sums of accumulators are in compute/exact_sum_kernel_test.cpp.
template <>
struct KindTest<LocalReduceParts> {
  static constexpr int calls = 100;

  static TestCall draw(LocalOpGenerator& g) {
    const Extents out = g.extents(g.channels());
    TestCall call;
    for (index_t k = g.random().once_in(10) ? 40 : g.random().integer(1, 5); k > 0; --k) call.srcs.push_back(g.operand(out));
    call.op.kind = LocalReduceParts{.kind = g.random().once_in(2) ? ReduceKind::Max : ReduceKind::Min};
    return g.finished(std::move(call), out);
  }
};

}  // namespace parconv::test
