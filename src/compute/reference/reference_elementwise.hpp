// SPDX-License-Identifier: Apache-2.0
// Elementwise operators in plain loops.
#pragma once

#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/activation.hpp"

namespace parconv::reference {

/// The element of `src` for result index `at`, broadcast along axes of extent 1.
inline float broadcast_at(const Source& src, Index at) {
  for (Axis axis : all_axes) {
    if (src.extents()[axis] == 1) at[axis] = 0;
  }
  return src.at(at);
}

inline void check(const LocalFill&, const CallExtents&) {}

inline void compute(const LocalFill& fill, const ReferenceCall& call) {
  call.store_each([&](const Index&) { return fill.value; });
}

inline void check(const LocalCopy&, const CallExtents& call) { check_reduced(call, {}); }

inline void compute(const LocalCopy&, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](const Index& at) { return src.at(at); });
}

inline void check(const LocalScaleShift& op, const CallExtents& call) {
  const auto channels = static_cast<std::size_t>(call.dst[Axis::C]);
  check_reduced(call, {});
  PARCONV_EXPECT(op.scale.size() == channels && op.shift.size() == channels, "for ", channels, " channels");
}

inline void compute(const LocalScaleShift& op, const ReferenceCall& call) {
  const Source src = call.operand(0);
  call.store_each([&](const Index& at) {
    const auto channel = static_cast<std::size_t>(at[Axis::C]);
    return op.scale[channel] * src.at(at) + op.shift[channel];
  });
}

inline void check(const LocalSum& sum, const CallExtents& call) {
  check_broadcast(call);
  PARCONV_EXPECT(sum.joins.empty() || sum.joins.size() == call.srcs.size(), sum.joins.size(), " joins");
}

/// A join replaces the last two sums of a stack by their sum.
inline void compute_tree_sum(const LocalSum& sum, const ReferenceCall& call) {
  std::vector<float> open;
  call.store_each([&](const Index& at) {
    open.clear();
    for (std::size_t k = 0; k < call.num_operands(); ++k) {
      open.push_back(broadcast_at(call.operand(k), at));
      for (int join = 0; join < sum.joins[k]; ++join) {
        const float last = open.back();
        open.pop_back();
        open.back() += last;
      }
    }
    return open.front();
  });
}

inline void compute(const LocalSum& sum, const ReferenceCall& call) {
  if (!sum.joins.empty()) return compute_tree_sum(sum, call);
  call.store_each([&](const Index& at) {
    float total = broadcast_at(call.operand(0), at);
    for (std::size_t k = 1; k < call.num_operands(); ++k) total += broadcast_at(call.operand(k), at);
    return total;
  });
}

inline void check(const LocalBinary&, const CallExtents& call) {
  PARCONV_EXPECT(call.srcs.size() == 2, call.srcs.size(), " sources of a binary function");
  check_broadcast(call);
}

inline void compute(const LocalBinary& binary, const ReferenceCall& call) {
  call.store_each([&](const Index& at) {
    return combined(binary.kind, broadcast_at(call.operand(0), at), broadcast_at(call.operand(1), at));
  });
}

}  // namespace parconv::reference
