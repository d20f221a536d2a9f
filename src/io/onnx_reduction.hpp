// Reductions as operators of ours, shared by the Reduce family, global poolings and normalisations.
#pragma once

#include "io/onnx_node.hpp"

namespace parconv {

/// Marks some of n, c, d, h, w.
using AxisSet = std::array<bool, num_axes>;

constexpr AxisSet space{false, false, true, true, true};

/// Elements of `in` that join in one. Throws Error(BadData) if they do not fit 64 bits.
index_t elems_along(const Shape& in, const AxisSet& axes);

/// What brings the marked axes of `in` to extent 1, one operator after another, and divides by `count`. Sums are made along w per
/// row, over channels by a convolution whose weights are 1, and then over whole rows in order, so that a split by h or d cuts
/// between rows and changes no bit. Extremes are found within rows first too, so that little moves. Nothing at all if there is
/// nothing to do.
std::vector<Operator> reduction_steps(const Shape& in, ReduceKind kind, const AxisSet& axes, index_t count = 1);

/// Adds `steps` from `x` on, the last with `finish`; a copy if there are none.
ValueId add_steps(NodeReader& node, const char* suffix, ValueId x, std::vector<Operator> steps, Finish finish = {});

/// The same with the node's own output at the end.
void make_steps(NodeReader& node, ValueId x, std::vector<Operator> steps, Finish finish = {});

/// The mean over the marked axes.
ValueId add_mean(NodeReader& node, const char* suffix, ValueId x, const AxisSet& axes);

}  // namespace parconv
