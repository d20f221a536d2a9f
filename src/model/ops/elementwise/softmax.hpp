// SPDX-License-Identifier: Apache-2.0
// Softmax, LogSoftmax and Hardmax: every output needs its whole row along the marked axes.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

/// Common rules of operators with marked `axes`.
template <class Op>
struct WholeRowRules : PointwiseRules<Op> {
  static Box needed_box(const Op& op, const NodeView& view, std::size_t operand, const WorkRegion& work) {
    Box need = work.computed;
    for (Axis axis : all_axes)
      if (op.axes[static_cast<std::size_t>(axis)]) need[axis] = {0, view.in(operand)[axis]};
    return need;
  }
  static bool mixes_samples(const Op& op, const NodeView&) { return op.axes[static_cast<std::size_t>(Axis::N)]; }
};

template <>
struct Rules<Softmax> : WholeRowRules<Softmax> {
  static std::string name(const Softmax& op) { return op.is_logarithm ? "LogSoftmax" : "Softmax"; }
  static LocalKind localise(const Softmax& op, const NodeView&, const WorkRegion& work, const Box& need) {
    return LocalSoftmax{op.axes, op.is_logarithm, offset_in(work.computed, need)};
  }
};

template <>
struct Rules<Hardmax> : WholeRowRules<Hardmax> {
  static std::string name(const Hardmax&) { return "Hardmax"; }
  static LocalKind localise(const Hardmax& op, const NodeView&, const WorkRegion& work, const Box& need) {
    return LocalHardmax{op.axes, offset_in(work.computed, need)};
  }
};

}  // namespace parconv
