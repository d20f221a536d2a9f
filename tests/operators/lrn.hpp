// SPDX-License-Identifier: Apache-2.0
// LRN.
#pragma once

#include "operators/operator_test.hpp"

namespace parconv::test {

template <>
struct OperatorTest<Lrn> {
  static constexpr int weight = 1;
  static constexpr bool is_rounded = true;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    return builder.lrn(src, {.size = builder.random().integer(1, 7), .alpha = 0.5F});
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto lrn = [](const Lrn& op) {
      return [op](RandomNetworkBuilder& builder, ValueId src) { return builder.lrn(src, op); };
    };
    cases.push_back({"lrn", deep_image, 4, lrn({.size = 5})});
    cases.push_back({"lrn of an even window", image, 4, lrn({.size = 8, .alpha = 2, .beta = 0.6F, .bias = 3})});
  }
};

template <>
struct KindTest<LocalLrn> {
  static constexpr int calls = 200;
  static constexpr bool is_rounded = true;

  static TestCall draw(LocalOpGenerator& g) {
    constexpr std::array betas{1.0F, 0.5F, 0.75F, 0.6F};
    LocalLrn lrn{.lrn = {.size = g.random().integer(1, 7), .alpha = 0.5F, .beta = g.any_of(betas)}};
    Extents out = g.extents(g.channels());
    TestCall call;
    call.srcs.push_back(g.operand(out));
    const Interval part = g.part_of(out[Axis::C]);
    lrn.own = part.lo;
    out[Axis::C] = part.size();
    call.op.kind = lrn;
    return g.finished(std::move(call), out);
  }
};

}  // namespace parconv::test
