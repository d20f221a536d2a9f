// SPDX-License-Identifier: Apache-2.0
// ConvTranspose.
#pragma once

#include "operators/operator_test.hpp"

namespace parconv::test {

inline AddOperator conv_transpose(const ConvOptions& options) {
  return [options](RandomNetworkBuilder& builder, ValueId src) { return builder.conv_transpose(src, options); };
}

template <>
struct OperatorTest<ConvTranspose> {
  static constexpr int weight = 2;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) { return random_conv_transpose(builder, src); }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const WindowAxis doubled{.kernel = 4, .stride = 2, .pad_lo = 1, .pad_hi = 1};
    const WindowAxis tripled{.kernel = 5, .stride = 3, .pad_lo = 2, .pad_hi = 0, .dilation = 2};
    const WindowAxis longer{.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 0};
    cases.push_back({"conv transpose 2x2 stride 2", image, 4, conv_transpose({.oc = 32, .window = flat(pair, pair)})});
    cases.push_back({"conv transpose 4x4 stride 2", image, 4, conv_transpose({.oc = 40, .window = flat(doubled, doubled)})});
    cases.push_back(
        {"conv transpose 3x3 with output padding", deep_image, 4, conv_transpose({.oc = 33, .window = flat(longer, longer)})});
    cases.push_back({"conv transpose 5x4 dilated", image, 4, conv_transpose({.oc = 24, .window = flat(tripled, doubled)})});
    cases.push_back({"conv transpose 3x3 stride 1", image, 4, conv_transpose({.oc = 24, .window = flat(same3, wide3)})});
    cases.push_back({"conv transpose with gaps", image, 4, conv_transpose({.oc = 16, .window = flat({.stride = 3}, pair)})});
    cases.push_back(
        {"conv transpose in 3 groups", image, 4, conv_transpose({.oc = 24, .window = flat(doubled, pair), .groups = 3})});
    cases.push_back(
        {"conv transpose depthwise", image, 4, conv_transpose({.oc = 24, .window = flat(doubled, doubled), .groups = 24})});
    cases.push_back(
        {"conv transpose 1-D", signal, 3, conv_transpose({.oc = 20, .window = {{WindowAxis{}, doubled, WindowAxis{}}}})});
    cases.push_back({"conv transpose 3-D", cube, 5, conv_transpose({.oc = 16, .window = {{pair, pair, doubled}}})});
    const auto joined = [](RandomNetworkBuilder& builder, ValueId src) {
      const Window window = flat(same3, same3);
      const index_t channels = builder.extents(src)[Axis::C];
      return builder.relu(builder.sum({builder.conv_transpose(src, {.oc = channels, .window = window}), src}));
    };
    cases.push_back({"conv transpose and sum", image, 4, joined});
  }
};

template <>
struct KindTest<LocalDeconv> {
  static constexpr int calls = 400;

  static TestCall draw(LocalOpGenerator& g) { return g.deconv(); }
};

}  // namespace parconv::test
