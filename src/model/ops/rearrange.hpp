// Rearrange: every output is one input elsewhere. Its index along an axis has digits, each of which counts along one input axis.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Rearrange> : PointwiseRules<Rearrange> {
  static std::string name(const Rearrange&) { return "Rearrange"; }
  static Shape output_shape(const Rearrange& op, const OperandShapes& operands);
  static Box needed_box(const Rearrange& op, const NodeView& view, std::size_t operand, const Share& share);
  /// The slowest digit of an input axis decides which part of it is needed.
  static std::array<Axis, num_axes> share_axes(const Rearrange& op, const NodeView& view);
  static LocalKind localise(const Rearrange& op, const NodeView& view, const Share& share, const Box& need);
  /// Samples are kept if n is a factor of its own that stays in front.
  static bool mixes_samples(const Rearrange& op, const NodeView& view);
  /// Precondition: samples are kept.
  static void rebatch(Rearrange& op, index_t n);
};

}  // namespace parconv
