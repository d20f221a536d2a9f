// SPDX-License-Identifier: Apache-2.0
// Checks that boxes are disjoint without comparing all pairs.
#pragma once

#include <optional>
#include <span>
#include <utility>

#include "parconv/geometry/box.hpp"

namespace parconv::verify {

/// Indices of two boxes that overlap; nullopt if all are disjoint.
std::optional<std::pair<std::size_t, std::size_t>> find_overlap(std::span<const Box> boxes);

/// Calls visit(part) for disjoint boxes that together are `from` without `hole`.
template <class Visit>
void for_each_remainder(Box from, const Box& hole, Visit&& visit) {
  const Box common = intersect(from, hole);
  if (common.is_empty()) return visit(from);
  for (Axis axis : all_axes) {
    if (from[axis].lo < common[axis].lo) visit(from.with(axis, {from[axis].lo, common[axis].lo}));
    if (common[axis].hi < from[axis].hi) visit(from.with(axis, {common[axis].hi, from[axis].hi}));
    from[axis] = common[axis];
  }
}

}  // namespace parconv::verify
