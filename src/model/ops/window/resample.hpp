// SPDX-License-Identifier: Apache-2.0
// Resample: every axis of the output selects or interpolates inputs of the same axis. Resize, Pad and Slice.
#pragma once

#include "model/ops/rules.hpp"

namespace parconv {

/// The sources of output `out` along an axis of `in_size` inputs. Precondition: 0 <= out < axis.size.
AxisTap tap_of(const ResampledAxis& axis, index_t out, index_t in_size);

/// Inputs needed by the outputs `out`; empty if all of them are fill.
Interval inputs_of(const ResampledAxis& axis, Interval out, index_t in_size);

template <>
struct Rules<Resample> : PointwiseRules<Resample> {
  static std::string name(const Resample&) { return "Resample"; }
  static Shape output_shape(const Resample& op, const OperandShapes& operands);
  static Box needed_box(const Resample& op, const NodeView& view, std::size_t operand, const WorkRegion& work);
  static bool mixes_samples(const Resample& op, const NodeView& view);
  static LocalKind localise(const Resample& op, const NodeView& view, const WorkRegion& work, const Box& need);
};

}  // namespace parconv
