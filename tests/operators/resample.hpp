// SPDX-License-Identifier: Apache-2.0
// Elements taken or interpolated along each axis.
#pragma once

#include <algorithm>

#include "operators/operator_test.hpp"

namespace parconv::test {

template <>
struct OperatorTest<Resample> {
  static constexpr int weight = 2;

  static ValueId draw(RandomNetworkBuilder& builder, ValueId src) {
    return builder.resample(src, random_resample(builder.random(), builder.extents(src)));
  }

  static void append_cases(std::vector<OperatorCase>& cases) {
    const auto resample = [](const Resample& op) {
      return [op](RandomNetworkBuilder& builder, ValueId src) { return builder.resample(src, op); };
    };
    const auto along = [](const ResampledAxis& h, const ResampledAxis& w) {
      return Resample{.axes = {{{}, {}, {}, h, w}}, .fill = 3};
    };
    const NearestAxis twice{.scale = 2, .coordinates = Coordinates::Asymmetric, .rounding = NearestRounding::Floor};
    cases.push_back({"nearest twice", image, 4, resample(along({twice, 26}, {twice, 22}))});
    cases.push_back(
        {"nearest smaller", deep_image, 4, resample(along({NearestAxis{.scale = 0.5F}, 4}, {NearestAxis{.scale = 0.7F}, 7}))});
    cases.push_back({"linear twice", image, 4, resample(along({LinearAxis{.scale = 2}, 26}, {LinearAxis{.scale = 2}, 22}))});
    const LinearAxis corners{.scale = 1.6F, .coordinates = Coordinates::AlignCorners};
    cases.push_back({"linear between corners", deep_image, 4, resample(along({corners, 14}, {corners, 16}))});
    const NearestAxis between{.scale = 0.7F, .coordinates = Coordinates::AlignCorners};
    cases.push_back({"nearest between corners", image, 4, resample(along({between, 9}, {between, 7}))});
    const LinearAxis thirds{.scale = 1.5F};
    cases.push_back({"linear 3-D", cube, 5, resample({.axes = {{{}, {}, {thirds, 10}, {thirds, 12}, {thirds, 13}}}})});
    cases.push_back({"pad", image, 4, resample(along({TakeAxis{.start = -9}, 24}, {TakeAxis{.start = -1}, 14}))});
    const auto mirrored = [](index_t before, index_t size) {
      return ResampledAxis{TakeAxis{.start = -before, .border = Border::Reflect}, size};
    };
    cases.push_back({"pad by mirroring", image, 4, resample(along(mirrored(12, 37), mirrored(2, 14)))});
    cases.push_back({"pad by the border", image, 4, resample(along({TakeAxis{.start = -4, .border = Border::Edge}, 22}, {}))});
    cases.push_back({"slice", image, 4, resample(along({TakeAxis{.start = 2, .step = 3}, 4}, {TakeAxis{.start = 4}, 7}))});
    Resample channels;
    channels[Axis::C] = {TakeAxis{.start = 3, .step = 2}, 9};
    cases.push_back({"slice of channels", image, 4, resample(channels)});
  }
};

inline AxisTap exact_tap(index_t input) { return {.lo = input, .hi = input}; }

/// Mostly the output's own index or the one before it, so that there are runs.
inline AxisTap random_tap(LocalOpGenerator& g, index_t in_size, index_t out) {
  switch (g.random().integer(0, 7)) {
    case 0:
      return exact_tap(-1);
    case 1:
      return exact_tap(g.random().integer(0, in_size - 1));
    case 2:
      return exact_tap(std::max<index_t>(std::min(out, in_size) - 1, 0));
    case 3:
    case 4: {
      const index_t lo = g.random().integer(0, in_size - 1);
      return lo + 1 < in_size ? AxisTap{lo, lo + 1, 0.25F} : exact_tap(lo);
    }
    default:
      return exact_tap(std::min(out, in_size - 1));
  }
}

template <>
struct KindTest<LocalResample> {
  static constexpr int calls = 300;

  /// Any order of inputs, repeated and left out, with fill and interpolations anywhere.
  static TestCall draw(LocalOpGenerator& g) {
    const Extents src = g.extents(g.channels());
    Extents out = g.extents(g.random().integer(1, 40));
    LocalResample resample{.fill = 2};
    out[Axis::N] = src[Axis::N];
    if (g.random().once_in(2)) out[Axis::C] = src[Axis::C];
    const bool has_all_channels = out[Axis::C] == src[Axis::C];
    for (index_t c = 0; c < out[Axis::C]; ++c)
      resample[Axis::C].push_back(exact_tap(has_all_channels ? c : g.random().integer(0, src[Axis::C] - 1)));
    for (Axis axis : spatial_axes)
      for (index_t o = 0; o < out[axis]; ++o) resample[axis].push_back(random_tap(g, src[axis], o));
    TestCall call;
    call.srcs.push_back(g.operand(src));
    call.op.kind = std::move(resample);
    return g.finished(std::move(call), out);
  }
};

}  // namespace parconv::test
