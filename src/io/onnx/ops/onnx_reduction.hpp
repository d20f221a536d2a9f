// SPDX-License-Identifier: Apache-2.0
// Reductions lowered to network operators, shared by Reduce operators, global poolings and normalisations.
#pragma once

#include "io/onnx/onnx_node.hpp"

namespace parconv {

/// Subset of the axes n, c, d, h, w.
using AxisSet = std::array<bool, num_axes>;

constexpr AxisSet space{false, false, true, true, true};

/// Number of elements of `in` reduced to one. Throws Error(BadData) on overflow of 64 bits.
index_t elems_along(const Shape& in, const AxisSet& axes);

/// Operators, applied in order, that reduce the marked axes of `in` to extent 1 and divide by `count`; empty if there is
/// nothing to do. Sums run along w per row, over channels by a convolution with weights 1, then over whole rows in order, so a
/// split by h or d cuts between rows and the result is bitwise the same. Extrema also reduce rows first, which keeps messages
/// small.
std::vector<Operator> reduction_steps(const Shape& in, ReduceKind kind, const AxisSet& axes, index_t count = 1);

/// Appends `steps` to `x`, the last with `epilogue`; a copy if there are none.
ValueId add_steps(NodeReader& node, const char* suffix, ValueId x, std::vector<Operator> steps, Epilogue epilogue = {});

/// The same, ending in the node's own output.
void make_steps(NodeReader& node, ValueId x, std::vector<Operator> steps, Epilogue epilogue = {});

/// Appends the mean over the marked axes.
ValueId add_mean(NodeReader& node, const char* suffix, ValueId x, const AxisSet& axes);

}  // namespace parconv
