// SPDX-License-Identifier: Apache-2.0
// Interpolation in plain loops.
#pragma once

#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"

namespace parconv::reference {

inline float between(float lo, float hi, float weight) { return lo + weight * (hi - lo); }

/// The value at `at` after interpolation along `axis` and the axes before it.
inline float interpolated(const LocalResample& resample, const Source& src, const Index& out, Index at, Axis axis) {
  if (axis == Axis::C) {
    at[Axis::C] = resample[Axis::C][static_cast<std::size_t>(out[Axis::C])].lo;
    return src.at(at);
  }
  const AxisTap& tap = resample[axis][static_cast<std::size_t>(out[axis])];
  const Axis before = static_cast<Axis>(static_cast<int>(axis) - 1);
  at[axis] = tap.lo;
  const float lo = interpolated(resample, src, out, at, before);
  if (tap.lo == tap.hi) return lo;
  at[axis] = tap.hi;
  return between(lo, interpolated(resample, src, out, at, before), tap.weight);
}

inline bool is_fill(const LocalResample& resample, const Index& out) {
  return std::any_of(spatial_axes.begin(), spatial_axes.end(),
                     [&](Axis axis) { return resample[axis][static_cast<std::size_t>(out[axis])].lo < 0; });
}

inline void check(const LocalResample& resample, const CallExtents& call) {
  const Extents &src = call.srcs.front(), &dst = call.dst;
  PARCONV_EXPECT(src[Axis::N] == dst[Axis::N], "src ", src, ", dst ", dst);
  for (Axis axis : {Axis::C, Axis::D, Axis::H, Axis::W}) {
    const auto taps = static_cast<index_t>(resample[axis].size());
    PARCONV_EXPECT(taps == dst[axis], taps, " taps along ", name_of(axis), " of ", dst);
    for (const AxisTap& tap : resample[axis]) {
      const bool is_fill = axis != Axis::C && tap.lo == -1;
      const bool is_inside = tap.lo >= 0 && tap.lo <= tap.hi && tap.hi < src[axis] && (axis != Axis::C || tap.lo == tap.hi);
      PARCONV_EXPECT(is_fill || is_inside, "tap ", tap.lo, " to ", tap.hi, " along ", name_of(axis), " of ", src);
    }
  }
}

inline void compute(const LocalResample& resample, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each(
      [&](const Index& out) { return is_fill(resample, out) ? resample.fill : interpolated(resample, src, out, out, Axis::W); });
}

}  // namespace parconv::reference
