// SPDX-License-Identifier: Apache-2.0
// Reductions in plain loops.
#pragma once

#include <algorithm>
#include <limits>

#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"

namespace parconv::reference {

/// The neutral element of a reduction.
inline float beginning_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::Sum:
      return 0;
    case ReduceKind::Product:
      return 1;
    case ReduceKind::Max:
      return -std::numeric_limits<float>::infinity();
    case ReduceKind::Min:
      return std::numeric_limits<float>::infinity();
  }
  return 0;
}

inline float joined(ReduceKind kind, float a, float b) {
  switch (kind) {
    case ReduceKind::Sum:
      return a + b;
    case ReduceKind::Product:
      return a * b;
    case ReduceKind::Max:
      return maximum_of_two(a, b);
    case ReduceKind::Min:
      return minimum_of_two(a, b);
  }
  return a;
}

inline void check(const LocalRowSum&, const CallExtents& call) { check_reduced(call, std::array{Axis::W}); }

inline void compute(const LocalRowSum&, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](Index at) {
    float sum = 0;
    for (at[Axis::W] = 0; at[Axis::W] < src.extents()[Axis::W]; ++at[Axis::W]) sum += src.at(at);
    return sum;
  });
}

inline void check(const LocalReduce& reduce, const CallExtents& call) {
  std::vector<Axis> marked;
  for (Axis axis : all_axes)
    if (reduce.axes[static_cast<std::size_t>(axis)]) marked.push_back(axis);
  check_reduced(call, marked);
  PARCONV_EXPECT(reduce.count >= 1, "divides by ", reduce.count);
}

inline void compute(const LocalReduce& reduce, const ReferenceCall& call) {
  const Source src = call.operand(0);
  const Extents group = extents_along(src.extents(), reduce.axes, true);
  call.store_each([&](const Index& at) {
    float result = beginning_of(reduce.kind);
    for_each_index(group, [&](const Index& within) { result = joined(reduce.kind, result, src.at(sum_of(at, within))); });
    return result / static_cast<float>(reduce.count);
  });
}

}  // namespace parconv::reference
