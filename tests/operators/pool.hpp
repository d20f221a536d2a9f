// SPDX-License-Identifier: Apache-2.0
// MaxPool and AveragePool.
#pragma once

#include "operators/operator_test.hpp"

namespace parconv::test {

inline AddOperator pool(PoolKind kind, const Window& window, bool is_padding_counted = false) {
  return [=](RandomNetworkBuilder& builder, ValueId src) { return builder.pool(src, kind, window, is_padding_counted); };
}

template <>
struct OperatorTest<Pool> {
  static constexpr int weight = 2;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    Random& random = builder.random();
    if (random.once_in(2)) return builder.pool(src, PoolKind::Max, random_window(random, builder.extents(src)));
    const Window window = random_window(random, builder.extents(src), false);
    return builder.pool(src, PoolKind::Average, window, random.once_in(2));
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    cases.push_back({"max pool 3x3", image, 4, pool(PoolKind::Max, flat(half3, same3))});
    cases.push_back({"max pool 2x2", deep_image, 4, pool(PoolKind::Max, flat(pair, pair))});
    cases.push_back({"max pool ceil", Extents{{2, 20, 1, 12, 10}}, 4, pool(PoolKind::Max, flat(hanging, hanging))});
    cases.push_back({"max pool 3-D", cube, 5, pool(PoolKind::Max, {{same3, half3, pair}})});
    cases.push_back({"average pool", image, 4, pool(PoolKind::Average, flat(half3, same3))});
    cases.push_back({"average pool counting padding", image, 4, pool(PoolKind::Average, flat(half3, same3), true)});
    cases.push_back({"average pool ceil", Extents{{2, 20, 1, 12, 10}}, 4, pool(PoolKind::Average, flat(hanging, hanging))});
  }
};

template <>
struct KindTest<LocalPool> {
  static constexpr int calls = 200;

  static TestCall draw(LocalOpGenerator& g) {
    TestCall call;
    LocalPool pool{.kind = g.random().once_in(2) ? PoolKind::Max : PoolKind::Average, .window = g.window()};
    for (WindowAxis& axis : pool.window.axes) {
      axis.pad_lo = std::min(axis.pad_lo, axis.kernel - 1);
      axis.pad_hi = std::min(axis.pad_hi, axis.kernel - 1);
      axis.dilation = 1;
    }
    Extents out = g.extents(g.channels());
    call.srcs.push_back(g.operand(g.in_extents(out, pool.window, out[Axis::C])));
    for (std::size_t axis = 0; axis < 3; ++axis)
      for (index_t o = 0; o < out[spatial_axes[axis]]; ++o) pool.divisors[axis].push_back(g.random().integer(1, 3));
    call.op.kind = std::move(pool);
    return g.finished(std::move(call), out);
  }
};

template <>
struct KindTest<LocalFill> {
  static constexpr int calls = 30;

  static TestCall draw(LocalOpGenerator& g) {
    TestCall call;
    call.op.kind = LocalFill{.value = 3};
    return g.finished(std::move(call), g.extents(g.channels()));
  }
};

}  // namespace parconv::test
