// Conv: channels are contracted, space slides; over the full extent space is contracted too.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Conv> {
  static std::string name(const Conv&) { return "Conv"; }
  static Shape output_shape(const Conv& op, const OperandShapes& operands);
  static Box needed_box(const Conv& op, const NodeView& view, std::size_t operand, const Share& share);
  static std::array<bool, num_axes> contracted_axes(const Conv& op, const NodeView& view);
  static LocalKind localise(const Conv& op, const NodeView& view, const Share& share, const Box& need);
  static double flops(const Conv& op, const NodeView& view, const Share& share);
  static bool mixes_samples(const Conv&, const NodeView&) { return false; }

  /// Elements of the filter and the bias that a share uses.
  static index_t weight_elems(const Conv& op, const NodeView& view, const Share& share);
};

}  // namespace parconv
