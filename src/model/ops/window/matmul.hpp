// SPDX-License-Identifier: Apache-2.0
// Matrix product of two activations: rows of the first, columns of the second, the inner axis whole in both.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<MatMul> : PointwiseRules<MatMul> {
  static std::string name(const MatMul&) { return "MatMul"; }
  static Shape output_shape(const MatMul& op, const OperandShapes& operands);
  static Box needed_box(const MatMul& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static LocalKind localise(const MatMul& op, const NodeView& view, const WorkRegion&, const Box&) {
    return LocalMatMul{.rows = op.rows, .columns = op.columns, .leaves = leaves_of(view.in()[op.columns], 1, op.leaf_rule)};
  }
  static double flops(const MatMul& op, const NodeView& view, const WorkRegion& work) {
    return 2 * static_cast<double>(volume(work.computed)) * static_cast<double>(view.in()[op.columns]);
  }
  /// With samples in the rows, an output needs all samples of the second operand.
  static bool mixes_samples(const MatMul& op, const NodeView&) { return op.rows == Axis::N; }
};

}  // namespace parconv
