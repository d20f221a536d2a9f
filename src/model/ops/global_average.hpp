// GlobalAveragePool in two halves: per row, so that the sums do not depend on how rows are split, then over the rows in order.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<RowSum> : PointwiseRules<RowSum> {
  static std::string name(const RowSum&) { return "RowSum"; }
  static Shape output_shape(const RowSum&, const OperandShapes& operands) {
    Shape out = operands.only();
    out.extents[Axis::W] = 1;
    return out;
  }
  static Box needed_box(const RowSum&, const NodeView&, std::size_t, const Share& share) {
    return share.computed.with(Axis::W, share.contracted[Axis::W]);
  }
  static std::array<bool, num_axes> contracted_axes(const RowSum&, const NodeView&) {
    std::array<bool, num_axes> result{};
    result[static_cast<std::size_t>(Axis::W)] = true;
    return result;
  }
  static LocalKind localise(const RowSum&, const NodeView&, const Share&, const Box&) { return LocalRowSum{}; }
};

template <>
struct Rules<RowsMean> : PointwiseRules<RowsMean> {
  static std::string name(const RowsMean&) { return "RowsMean"; }
  static Shape output_shape(const RowsMean& op, const OperandShapes& operands);
  static Box needed_box(const RowsMean&, const NodeView& view, std::size_t operand, const Share& share) {
    return share.computed.with(Axis::D, {0, view.in(operand)[Axis::D]}).with(Axis::H, {0, view.in(operand)[Axis::H]});
  }
  static LocalKind localise(const RowsMean& op, const NodeView&, const Share&, const Box&) { return LocalRowsMean{op.count}; }
};

}  // namespace parconv
