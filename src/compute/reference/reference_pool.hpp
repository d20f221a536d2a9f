// SPDX-License-Identifier: Apache-2.0
// Pooling in plain loops.
#pragma once

#include <limits>

#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"

namespace parconv::reference {

/// Calls visit(element) for the taps of output `at` outside padding, in the order d, h, w.
template <class Visit>
void for_each_tap(const Window& window, const Source& src, const Index& at, Visit&& visit) {
  Extents taps{{1, 1, 0, 0, 0}};
  Index first = at;
  for (Axis axis : spatial_axes) {
    const Interval inside = taps_inside(window[axis], at[axis], src.extents()[axis]);
    taps[axis] = inside.size();
    first[axis] = at[axis] * window[axis].stride - window[axis].pad_lo + inside.lo * window[axis].dilation;
  }
  for_each_index(taps, [&](const Index& tap) {
    Index element = first;
    for (Axis axis : spatial_axes) element[axis] += tap[axis] * window[axis].dilation;
    visit(src.at(element));
  });
}

inline float maximum_at(const LocalPool& pool, const Source& src, const Index& at) {
  float maximum = -std::numeric_limits<float>::infinity();
  for_each_tap(pool.window, src, at, [&](float x) { maximum = maximum_of_two(maximum, x); });
  return maximum;
}

inline float average_at(const LocalPool& pool, const Source& src, const Index& at) {
  float sum = 0;
  for_each_tap(pool.window, src, at, [&](float x) { sum += x; });
  index_t divisor = 1;
  for (Axis axis : spatial_axes) {
    divisor *= pool.divisors[static_cast<std::size_t>(axis) - 2][static_cast<std::size_t>(at[axis])];
  }
  return sum / static_cast<float>(divisor);
}

/// An average needs a divisor per output.
inline void check(const LocalPool& pool, const CallExtents& call) {
  if (pool.kind == PoolKind::Max) return;
  for (Axis axis : spatial_axes) {
    const auto divisors = static_cast<index_t>(pool.divisors[static_cast<std::size_t>(axis) - 2].size());
    PARCONV_EXPECT(divisors == call.dst[axis], divisors, " divisors along ", name_of(axis), " of ", call.dst);
  }
}

inline void compute(const LocalPool& pool, const ReferenceCall& call) {
  const Source src = call.operand(0);
  if (pool.kind == PoolKind::Max) {
    call.store_each([&](const Index& at) { return maximum_at(pool, src, at); });
  } else {
    call.store_each([&](const Index& at) { return average_at(pool, src, at); });
  }
}

}  // namespace parconv::reference
