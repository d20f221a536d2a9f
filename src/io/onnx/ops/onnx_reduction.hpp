// SPDX-License-Identifier: Apache-2.0
// Reductions, shared by Reduce operators, global poolings and normalisations.
#pragma once

#include "io/onnx/onnx_node.hpp"

namespace parconv {

/// Subset of the axes n, c, d, h, w.
using AxisSet = std::array<bool, num_axes>;

constexpr AxisSet space{false, false, true, true, true};

/// Number of elements of `in` reduced to one. Throws Error(BadData) on overflow of 64 bits.
index_t elems_along(const Shape& in, const AxisSet& axes);

/// The operator that reduces the marked axes of `in` to extent 1 and divides by `count`; a copy if there is nothing to do.
Operator reduction(const Shape& in, ReduceKind kind, const AxisSet& axes, index_t count = 1);

/// Appends the mean over the marked axes.
ValueId add_mean(NodeReader& node, const char* suffix, ValueId x, const AxisSet& axes);

}  // namespace parconv
