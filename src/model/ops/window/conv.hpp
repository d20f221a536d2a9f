// SPDX-License-Identifier: Apache-2.0
// Conv: contracts channels and slides over space.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<Conv> {
  static constexpr bool reads_activations = true;
  static std::string name(const Conv&) { return "Conv"; }
  static Shape output_shape(const Conv& op, const OperandShapes& operands);
  static Box needed_box(const Conv& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static std::array<bool, num_axes> contracted_axes(const Conv& op, const NodeView& view);
  static LocalKind localise(const Conv& op, const NodeView& view, const WorkRegion& work, const Box& need);
  static double flops(const Conv& op, const NodeView& view, const WorkRegion& work);
  static bool mixes_samples(const Conv&, const NodeView&) { return false; }

  /// Elements of the filter and the bias that a work region uses.
  static index_t weight_elems(const Conv& op, const NodeView& view, const WorkRegion& work);
};

}  // namespace parconv
