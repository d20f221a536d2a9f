// SPDX-License-Identifier: Apache-2.0
// ConvTranspose: channels are contracted; inputs contribute to an output through the taps that land on it.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

template <>
struct Rules<ConvTranspose> {
  static constexpr bool reads_activations = true;
  static std::string name(const ConvTranspose&) { return "ConvTranspose"; }
  static Shape output_shape(const ConvTranspose& op, const OperandShapes& operands);
  static Box needed_box(const ConvTranspose& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static std::array<bool, num_axes> contracted_axes(const ConvTranspose& op, const NodeView& view);
  static LocalKind localise(const ConvTranspose& op, const NodeView& view, const WorkRegion& work, const Box& need);
  static double flops(const ConvTranspose& op, const NodeView& view, const WorkRegion& work);
  static bool mixes_samples(const ConvTranspose&, const NodeView&) { return false; }

  /// Elements of the filter and the bias that a work region uses.
  static index_t weight_elems(const ConvTranspose& op, const NodeView& view, const WorkRegion& work);
};

}  // namespace parconv
