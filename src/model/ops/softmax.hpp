// Softmax and LogSoftmax: every output needs its whole row along the marked axes.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Softmax> : PointwiseRules<Softmax> {
  static std::string name(const Softmax& op) { return op.is_logarithm ? "LogSoftmax" : "Softmax"; }
  static Box needed_box(const Softmax& op, const NodeView& view, std::size_t operand, const Share& share) {
    Box need = share.computed;
    for (Axis axis : all_axes)
      if (op.axes[static_cast<std::size_t>(axis)]) need[axis] = {0, view.in(operand)[axis]};
    return need;
  }
  static LocalKind localise(const Softmax& op, const NodeView&, const Share& share, const Box& need) {
    return LocalSoftmax{op.axes, op.is_logarithm, offset_in(share.computed, need)};
  }
  static bool mixes_samples(const Softmax& op, const NodeView&) { return op.axes[static_cast<std::size_t>(Axis::N)]; }
};

}  // namespace parconv
