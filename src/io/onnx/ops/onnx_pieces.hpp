// SPDX-License-Identifier: Apache-2.0
// Elements of a value at any indices along one axis, as slices that are concatenated.
#pragma once

#include <vector>

#include "io/onnx/onnx_node.hpp"
#include "parconv/model/resampling.hpp"

namespace parconv {

/// Attribute mode of a Pad. Throws for other modes.
Border border_of(NodeReader& node);

/// Index of an element that is a fill.
inline constexpr index_t fill_index = -1;

/// The input index of each of `size` elements, the first of which lies `before` elements before an input of `extent` elements:
/// as ONNX's Pad in the modes constant (fill_index), edge, reflect and wrap, however far it goes. Precondition: extent > 0, or
/// the border is a fill.
std::vector<index_t> padded_indices(Border border, index_t before, index_t size, index_t extent);

/// The elements of `x` at `indices` along an axis, each in [0, extent) or fill_index: one slice for each evenly spaced run.
/// Throws if there are more than 4,096 slices.
ValueId elements_at(NodeReader& node, ValueId x, Axis axis, const std::vector<index_t>& indices, float fill = 0);

}  // namespace parconv
