// SPDX-License-Identifier: Apache-2.0
// Local response normalisation: a window along the channels.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Lrn> : PointwiseRules<Lrn> {
  static std::string name(const Lrn&) { return "LRN"; }
  static Shape output_shape(const Lrn& op, const OperandShapes& operands);
  /// Example: size 5, outputs [8, 16) of 64: channels [6, 18).
  static Box needed_box(const Lrn& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static LocalKind localise(const Lrn& op, const NodeView&, const WorkRegion& work, const Box& need) {
    return LocalLrn{.lrn = op, .own = work.computed[Axis::C].lo - need[Axis::C].lo};
  }
};

}  // namespace parconv
