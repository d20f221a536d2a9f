// SPDX-License-Identifier: Apache-2.0
// Half-open intervals and boxes over the five tensor axes n, c, d, h, w.
#pragma once

#include <algorithm>
#include <array>
#include <iosfwd>
#include <string>

#include "parconv/core/types.hpp"

namespace parconv {

/// Indices [lo, hi). Empty if hi <= lo; all empty intervals are equivalent (but not equal).
struct Interval {
  index_t lo = 0;
  index_t hi = 0;

  constexpr index_t size() const { return hi > lo ? hi - lo : 0; }
  constexpr bool is_empty() const { return hi <= lo; }
  constexpr bool contains(Interval inner) const { return inner.is_empty() || (lo <= inner.lo && inner.hi <= hi); }
  constexpr Interval shifted(index_t by) const { return {lo + by, hi + by}; }

  friend constexpr bool operator==(Interval, Interval) = default;
};

constexpr Interval intersect(Interval a, Interval b) { return {std::max(a.lo, b.lo), std::min(a.hi, b.hi)}; }

/// The smallest interval that contains both.
constexpr Interval hull(Interval a, Interval b) {
  if (a.is_empty()) return b;
  if (b.is_empty()) return a;
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

/// Tensor axes in ONNX order. A 2-D image has d = 1, a 1-D signal extends along h, a matrix has n and c only.
enum class Axis : int { N = 0, C = 1, D = 2, H = 3, W = 4 };

inline constexpr int num_axes = 5;
inline constexpr std::array<Axis, num_axes> all_axes{Axis::N, Axis::C, Axis::D, Axis::H, Axis::W};
inline constexpr std::array<Axis, 3> spatial_axes{Axis::D, Axis::H, Axis::W};
/// Axes from slowest to fastest in memory: channels last (NDHWC).
inline constexpr std::array<Axis, num_axes> memory_axes{Axis::N, Axis::D, Axis::H, Axis::W, Axis::C};

/// "n", "c", "d", "h" or "w".
const char* name_of(Axis axis);

/// One extent per axis, indexed by `Axis`.
struct Extents {
  std::array<index_t, num_axes> values{1, 1, 1, 1, 1};

  constexpr index_t& operator[](Axis axis) { return values[static_cast<std::size_t>(axis)]; }
  constexpr index_t operator[](Axis axis) const { return values[static_cast<std::size_t>(axis)]; }
  friend constexpr bool operator==(const Extents&, const Extents&) = default;
};

/// Product of the extents; 0 if any is not positive. Precondition: the product fits index_t (see checked_product).
constexpr index_t volume(const Extents& extents) {
  index_t result = 1;
  for (index_t value : extents.values) {
    if (value <= 0) return 0;
    result *= value;
  }
  return result;
}

/// Cartesian product of one interval per axis, in global indices of one tensor.
struct Box {
  std::array<Interval, num_axes> intervals{};

  /// The whole tensor: [0, extent) on every axis.
  static constexpr Box whole(const Extents& extents) {
    Box box;
    for (Axis axis : all_axes) box[axis] = {0, extents[axis]};
    return box;
  }

  constexpr Interval& operator[](Axis axis) { return intervals[static_cast<std::size_t>(axis)]; }
  constexpr Interval operator[](Axis axis) const { return intervals[static_cast<std::size_t>(axis)]; }

  constexpr bool is_empty() const {
    return std::any_of(intervals.begin(), intervals.end(), [](Interval i) { return i.is_empty(); });
  }
  constexpr Extents extents() const {
    Extents result;
    for (Axis axis : all_axes) result[axis] = (*this)[axis].size();
    return result;
  }
  constexpr bool contains(const Box& inner) const {
    if (inner.is_empty()) return true;
    return std::all_of(all_axes.begin(), all_axes.end(), [&](Axis a) { return (*this)[a].contains(inner[a]); });
  }
  /// Copy of this box with the interval of one axis replaced.
  constexpr Box with(Axis axis, Interval interval) const {
    Box box = *this;
    box[axis] = interval;
    return box;
  }

  friend constexpr bool operator==(const Box&, const Box&) = default;
};

/// Number of elements; 0 if empty.
constexpr index_t volume(const Box& box) { return volume(box.extents()); }

constexpr Box intersect(const Box& a, const Box& b) {
  Box box;
  for (Axis axis : all_axes) box[axis] = intersect(a[axis], b[axis]);
  return box;
}

/// The smallest box that contains both.
constexpr Box hull(const Box& a, const Box& b) {
  if (a.is_empty()) return b;
  if (b.is_empty()) return a;
  Box box;
  for (Axis axis : all_axes) box[axis] = hull(a[axis], b[axis]);
  return box;
}

/// True if `inner` occupies one contiguous run of memory within a channels-last buffer of `outer`.
/// Example: rows [2, 5) of one 8 x 6 sample are contiguous; columns [2, 5) are not. Precondition: outer contains inner.
bool is_contiguous_within(const Box& inner, const Box& outer);

std::ostream& operator<<(std::ostream& out, Interval interval);
/// Prints "n[0,1) c[0,64) h[0,56) w[0,224)"; d, h and w are omitted where they are [0,1).
std::ostream& operator<<(std::ostream& out, const Box& box);
/// Prints "1x64x1x56x224", n first.
std::ostream& operator<<(std::ostream& out, const Extents& extents);

std::string to_string(const Box& box);
std::string to_string(const Extents& extents);

}  // namespace parconv
