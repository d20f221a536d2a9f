// SPDX-License-Identifier: Apache-2.0
// Conv.
#pragma once

#include "operators/operator_test.hpp"

namespace parconv::test {

inline AddOperator conv(const ConvOptions& options) {
  return [options](RandomNetworkBuilder& builder, ValueId src) { return builder.conv(src, options); };
}

template <>
struct OperatorTest<Conv> {
  static constexpr int weight = 5;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    const bool covers_all = builder.random().once_in(5);
    return covers_all ? builder.fully_connected(src, builder.random().integer(1, 20)) : random_conv(builder, src);
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    cases.push_back({"conv 3x3", image, 4, conv({.oc = 40, .window = flat(same3, same3)})});
    cases.push_back({"conv 3x3 of many channels", deep_image, 4, conv({.oc = 96, .window = flat(same3, same3)})});
    cases.push_back({"conv 1x1", deep_image, 4, conv({.oc = 64})});
    cases.push_back({"conv 3x3 stride 2", image, 4, conv({.oc = 33, .window = flat(half3, half3)})});
    cases.push_back({"conv 1x1 stride 2", image, 4, conv({.oc = 32, .window = flat({.stride = 2}, {.stride = 2})})});
    cases.push_back({"conv 3x3 dilation 2", image, 4, conv({.oc = 32, .window = flat(wide3, wide3)})});
    cases.push_back({"conv 4x3 asymmetric", image, 4, conv({.oc = 24, .window = flat(leaning4, half3)})});
    cases.push_back({"conv 5x3 valid", image, 4, conv({.oc = 24, .window = flat({.kernel = 5}, {.kernel = 3})})});
    cases.push_back({"conv 3x3 in 3 groups", image, 4, conv({.oc = 24, .window = flat(same3, same3), .groups = 3})});
    cases.push_back({"conv 3x3 in 2 groups", deep_image, 4, conv({.oc = 64, .window = flat(same3, same3), .groups = 2})});
    cases.push_back({"conv 3x3 depthwise", image, 4, conv({.oc = 24, .window = flat(same3, same3), .groups = 24})});
    cases.push_back({"conv 3x3 depthwise, 2 each", image, 4, conv({.oc = 48, .window = flat(half3, same3), .groups = 24})});
    cases.push_back({"conv 1-D", signal, 3, conv({.oc = 20, .window = {{WindowAxis{}, half3, WindowAxis{}}}})});
    cases.push_back({"conv 3-D", cube, 5, conv({.oc = 16, .window = {{same3, same3, same3}}})});
    cases.push_back({"conv 3-D stride 2", cube, 5, conv({.oc = 24, .window = {{half3, half3, half3}}})});
    cases.push_back({"conv without bias", image, 4, conv({.oc = 32, .window = flat(same3, same3), .has_bias = false})});
    cases.push_back({"gemm of a matrix", matrix, 2, conv({.oc = 40})});
    const auto fully_connected = [](RandomNetworkBuilder& builder, ValueId src) { return builder.fully_connected(src, 40); };
    cases.push_back({"gemm after flatten", image, 4, fully_connected});
    cases.push_back({"gemm after flatten in 3-D", Extents{{2, 6, 3, 4, 5}}, 5, fully_connected});
  }
};

template <>
struct KindTest<LocalConv> {
  static constexpr int calls = 400;

  static TestCall draw(LocalOpGenerator& g) { return g.conv(); }
};

}  // namespace parconv::test
