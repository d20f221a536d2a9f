// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/box.hpp"

#include <ostream>
#include <sstream>

namespace parconv {

const char* name_of(Axis axis) {
  static constexpr std::array<const char*, num_axes> names{"n", "c", "d", "h", "w"};
  return names[static_cast<std::size_t>(axis)];
}

bool is_contiguous_within(const Box& inner, const Box& outer) {
  if (inner.is_empty()) return true;
  // Slowest axis first: single indices, then one partial range, then only full ranges.
  bool must_be_full = false;
  for (Axis axis : memory_axes) {
    const bool is_full = inner[axis] == outer[axis];
    if (must_be_full && !is_full) return false;
    if (inner[axis].size() > 1) must_be_full = true;
  }
  return true;
}

std::ostream& operator<<(std::ostream& out, Interval interval) { return out << '[' << interval.lo << ',' << interval.hi << ')'; }

std::ostream& operator<<(std::ostream& out, const Box& box) {
  const char* separator = "";
  for (Axis axis : all_axes) {
    const bool is_trivial = box[axis] == Interval{0, 1} && (axis == Axis::D || axis == Axis::H || axis == Axis::W);
    if (is_trivial) continue;
    out << separator << name_of(axis) << box[axis];
    separator = " ";
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const Extents& extents) {
  const char* separator = "";
  for (Axis axis : all_axes) {
    out << separator << extents[axis];
    separator = "x";
  }
  return out;
}

std::string to_string(const Box& box) {
  std::ostringstream out;
  out << box;
  return out.str();
}

std::string to_string(const Extents& extents) {
  std::ostringstream out;
  out << extents;
  return out.str();
}

}  // namespace parconv
