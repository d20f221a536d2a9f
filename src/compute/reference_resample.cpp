#include "compute/reference_kinds.hpp"

namespace parconv {
namespace {

float between(float lo, float hi, float weight) { return lo + weight * (hi - lo); }

/// The value at `at` after interpolation along `axis` and the axes before it.
float interpolated(const LocalResample& resample, const Source& src, const Index& out, Index at, Axis axis) {
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

bool is_fill(const LocalResample& resample, const Index& out) {
  return std::any_of(spatial_axes.begin(), spatial_axes.end(),
                     [&](Axis axis) { return resample[axis][static_cast<std::size_t>(out[axis])].lo < 0; });
}

}  // namespace

void compute(const LocalResample& resample, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each(
      [&](const Index& out) { return is_fill(resample, out) ? resample.fill : interpolated(resample, src, out, out, Axis::W); });
}

}  // namespace parconv
