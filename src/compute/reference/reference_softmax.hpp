// SPDX-License-Identifier: Apache-2.0
// Softmax and Hardmax in plain loops.
#pragma once

#include <limits>

#include "compute/reference/reference_call.hpp"
#include "compute/reference/reference_reduce.hpp"
#include "parconv/model/formulas.hpp"

namespace parconv::reference {

/// The terms shared by the elements of one softmax group.
struct SoftmaxTerms {
  float maximum = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

/// The terms of `group`, which begins at source index `first`.
inline SoftmaxTerms softmax_terms(const Source& src, const Index& first, const Extents& group) {
  SoftmaxTerms terms;
  for_each_index(group, [&](const Index& at) { terms.maximum = std::max(terms.maximum, src.at(sum_of(first, at))); });
  BitSum sum;
  for_each_index(group, [&](const Index& at) { sum.add(exponential(src.at(sum_of(first, at)) - terms.maximum)); });
  terms.sum = sum.rounded();
  return terms;
}

inline float softmax_of(float x, const SoftmaxTerms& terms, bool is_logarithm) {
  const float shifted = x - terms.maximum;
  return is_logarithm ? shifted - logarithm(terms.sum) : exponential(shifted) / terms.sum;
}

inline void check(const LocalSoftmax& softmax, const CallExtents& call) { check_within(call, softmax.dst_offset); }

inline void compute(const LocalSoftmax& softmax, const ReferenceCall& call) {
  const Source src = call.operand(0);
  const Extents group = extents_along(src.extents(), softmax.axes, true);
  const Extents computed = extents_along(call.extents(), softmax.axes, true);
  const Index offset = softmax.dst_offset;
  for_each_index(extents_along(call.extents(), softmax.axes, false), [&](const Index& outer) {
    Index first = outer;
    for (Axis axis : all_axes) first[axis] = softmax.axes[static_cast<std::size_t>(axis)] ? 0 : outer[axis] + offset[axis];
    const SoftmaxTerms terms = softmax_terms(src, first, group);
    for_each_index(computed, [&](const Index& inner) {
      const Index at = sum_of(outer, inner);
      call.store(at, softmax_of(src.at(sum_of(at, offset)), terms, softmax.is_logarithm));
    });
  });
}

inline void check(const LocalHardmax& hardmax, const CallExtents& call) { check_within(call, hardmax.dst_offset); }

/// The first largest element of `group`, which begins at source index `first`.
inline Index largest_of(const Source& src, const Index& first, const Extents& group) {
  Index largest = first, at;
  for (at[Axis::N] = 0; at[Axis::N] < group[Axis::N]; ++at[Axis::N])
    for (at[Axis::C] = 0; at[Axis::C] < group[Axis::C]; ++at[Axis::C])
      for (at[Axis::D] = 0; at[Axis::D] < group[Axis::D]; ++at[Axis::D])
        for (at[Axis::H] = 0; at[Axis::H] < group[Axis::H]; ++at[Axis::H])
          for (at[Axis::W] = 0; at[Axis::W] < group[Axis::W]; ++at[Axis::W])
            if (src.at(sum_of(first, at)) > src.at(largest)) largest = sum_of(first, at);
  return largest;
}

inline void compute(const LocalHardmax& hardmax, const ReferenceCall& call) {
  const Source src = call.operand(0);
  const Extents group = extents_along(src.extents(), hardmax.axes, true);
  const Extents computed = extents_along(call.extents(), hardmax.axes, true);
  for_each_index(extents_along(call.extents(), hardmax.axes, false), [&](const Index& outer) {
    Index first = sum_of(outer, hardmax.dst_offset);
    for (Axis axis : all_axes)
      if (hardmax.axes[static_cast<std::size_t>(axis)]) first[axis] = 0;
    const Index largest = largest_of(src, first, group);
    for_each_index(computed, [&](const Index& inner) {
      const Index at = sum_of(outer, inner);
      call.store(at, sum_of(at, hardmax.dst_offset) == largest ? 1.0F : 0.0F);
    });
  });
}

}  // namespace parconv::reference
