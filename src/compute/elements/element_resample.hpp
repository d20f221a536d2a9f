// SPDX-License-Identifier: Apache-2.0
// Elements selected or interpolated along each axis.
#pragma once

#include <vector>

#include "compute/elements/element_call.hpp"
#include "compute/elements/element_pointwise.hpp"

namespace parconv::element {

/// Interpolates along d, then h, then w, each as lo + weight * (hi - lo).
struct Resample {
  Operands<1> from{};
  Table<AxisTap> c{};  ///< empty: channels unchanged; otherwise computed one at a time
  Table<AxisTap> d{};
  Table<AxisTap> h{};
  Table<AxisTap> w{};
  float fill = 0;

  bool picks_channels() const { return c.size > 0; }

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> value(const ElementIndex& at) const {
    const AxisTap& tap = w[at.w];
    if (tap.lo < 0 || h[at.h].lo < 0 || d[at.d].lo < 0) return Fill{.number = fill}.value<V>(at);
    ChannelVector<V> result = along_h<V>(at, tap.lo);
    if (tap.lo != tap.hi) blend(result, along_h<V>(at, tap.hi), tap.weight);
    return result;
  }

 private:
  template <int V>
  static PARCONV_HOST_DEVICE void blend(ChannelVector<V>& low, const ChannelVector<V>& high, float weight) {
    for (int k = 0; k < V; ++k) low.x[k] = low.x[k] + weight * (high.x[k] - low.x[k]);
  }

  /// Out of line: it is long and called twice.
  template <int V>
  PARCONV_HOST_DEVICE PARCONV_OUT_OF_LINE ChannelVector<V> along_h(const ElementIndex& at, index_t src_w) const {
    const AxisTap& tap = h[at.h];
    ChannelVector<V> result = along_d<V>(at, tap.lo, src_w);
    if (tap.lo != tap.hi) blend(result, along_d<V>(at, tap.hi, src_w), tap.weight);
    return result;
  }

  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> along_d(const ElementIndex& at, index_t src_h, index_t src_w) const {
    const AxisTap& tap = d[at.d];
    ChannelVector<V> result = pixel<V>({.n = at.n, .c = at.c, .d = tap.lo, .h = src_h, .w = src_w});
    if (tap.lo != tap.hi) blend(result, pixel<V>({.n = at.n, .c = at.c, .d = tap.hi, .h = src_h, .w = src_w}), tap.weight);
    return result;
  }

  /// The channels that dst takes from a source pixel: one, or the same V.
  template <int V>
  PARCONV_HOST_DEVICE ChannelVector<V> pixel(ElementIndex at) const {
    if (V == 1 && c.size > 0) at.c = c[at.c].lo;
    return load<V>(from.srcs[0], at);
  }
};

/// Empty if the channels are unchanged.
inline std::vector<AxisTap> channel_taps(const LocalResample& resample) {
  const std::vector<AxisTap>& taps = resample[Axis::C];
  for (std::size_t c = 0; c < taps.size(); ++c)
    if (taps[c].lo != static_cast<index_t>(c)) return taps;
  return {};
}

template <class Executor>
std::unique_ptr<Kernel> make_kernel(const LocalResample& resample, const ElementCall<Executor>& call) {
  for (Axis axis : {Axis::C, Axis::D, Axis::H, Axis::W})
    PARCONV_EXPECT(std::ssize(resample[axis]) == call.op().dst.extents[axis], resample[axis].size(), " taps");
  Tables<Executor> tables(call.executor());
  const Resample function{.from = call.source(),
                          .c = tables.add(channel_taps(resample)),
                          .d = tables.add(resample[Axis::D]),
                          .h = tables.add(resample[Axis::H]),
                          .w = tables.add(resample[Axis::W]),
                          .fill = resample.fill};
  return call.map(function, std::move(tables));
}

}  // namespace parconv::element
