// SPDX-License-Identifier: Apache-2.0
// Reductions in plain loops.
#pragma once

#include <array>
#include <limits>

#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/exact_sum.hpp"

namespace parconv::reference {

/// An exact sum with an integer for each power of two, which is carried into bits at the end. Shares no code with ExactSum, only
/// its format.
class BitSum {
 public:
  void add(float number);
  void add(const ExactSum& sum);
  /// The nearest f32, ties to even; +0 for 0.
  float rounded() const;
  ExactSum accumulator() const;

 private:
  static constexpr int num_bits = 320;
  using BitArray = std::array<bool, num_bits>;

  BitArray two_s_complement() const;

  std::array<index_t, num_bits> counts_{};  ///< of 2^(k - 149)
  bool has_nan_ = false;
  bool has_infinity_ = false;
  bool has_minus_infinity_ = false;
};

/// Calls visit(element) in the order n, d, h, w, c for the elements that are reduced into the one at `at`.
template <class Visit>
void for_each_reduced(const LocalReduce& reduce, const Source& src, const Index& at, Visit&& visit) {
  const Extents group = extents_along(src.extents(), reduce.axes, true);
  for_each_index(group, [&](const Index& within) { visit(src.at(sum_of(at, within))); });
}

/// Not for sums.
inline float joined(ReduceKind kind, float a, float b) {
  if (kind == ReduceKind::Max) return maximum_of_two(a, b);
  return kind == ReduceKind::Min ? minimum_of_two(a, b) : a * b;
}

inline void check(const LocalReduce& reduce, const CallExtents& call) {
  std::vector<Axis> marked;
  for (Axis axis : all_axes)
    if (reduce.axes[static_cast<std::size_t>(axis)]) marked.push_back(axis);
  check_reduced(call, marked);
  PARCONV_EXPECT(reduce.count == 1 || (reduce.count > 1 && reduce.kind == ReduceKind::Sum), "divides by ", reduce.count);
}

void compute(const LocalReduce& reduce, const ReferenceCall& call);

inline void check(const LocalReduceParts& parts, const CallExtents& call) {
  for (const Extents& src : call.srcs) PARCONV_EXPECT(src == call.dst, "src ", src, ", dst ", call.dst);
  PARCONV_EXPECT(parts.count >= 1 && parts.kind != ReduceKind::Product, "divides by ", parts.count);
}

void compute(const LocalReduceParts& parts, const ReferenceCall& call);

}  // namespace parconv::reference
