// SPDX-License-Identifier: Apache-2.0
// Local response normalisation in plain loops.
#pragma once

#include <algorithm>

#include "compute/reference/reference_call.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/formulas/power.hpp"

namespace parconv::reference {

inline void check(const LocalLrn& lrn, const CallExtents& call) {
  const Extents &src = call.srcs.front(), &dst = call.dst;
  PARCONV_EXPECT(lrn.own >= 0 && lrn.own + dst[Axis::C] <= src[Axis::C] && lrn.lrn.size >= 1, "src ", src, ", dst ", dst);
  for (Axis axis : all_axes) PARCONV_EXPECT(axis == Axis::C || src[axis] == dst[axis], "src ", src, ", dst ", dst);
}

inline void compute(const LocalLrn& local, const ReferenceCall& call) {
  const Source src = call.operand(0);
  const Lrn& lrn = local.lrn;
  call.store_each([&](Index at) {
    at[Axis::C] += local.own;
    const index_t own = at[Axis::C];
    const index_t last = std::min(own + lrn.size / 2, src.extents()[Axis::C] - 1);
    float sum = 0;
    for (at[Axis::C] = std::max<index_t>(own - (lrn.size - 1) / 2, 0); at[Axis::C] <= last; ++at[Axis::C])
      sum += src.at(at) * src.at(at);
    at[Axis::C] = own;
    return src.at(at) / lrn_power(lrn.bias + lrn.alpha / static_cast<float>(lrn.size) * sum, lrn.beta);
  });
}

}  // namespace parconv::reference
