// SPDX-License-Identifier: Apache-2.0
// Needed boxes and backend calls of one rank, from its boxes. Pure.
#pragma once

#include <array>

#include "parconv/model/local_op.hpp"

namespace parconv {

/// The part of an operator that one rank computes, in global indices: a box of the output, and the box of the contracted axes
/// that it reduces (input channels over all groups, and input space where a Reduction over it is divided; whole where nothing is
/// divided).
struct WorkRegion {
  Box computed{};
  Box contracted{};
};

/// Input axes that `node` reduces and that may be divided: c for convolutions, the marked ones of a Reduction. Local.
std::array<bool, num_axes> contracted_axes(const Network& network, const Node& node);

/// For each axis of input `operand`, the axis of the computed box that it depends on: a permutation. The identity for most
/// operators; a Transpose of h and w exchanges the two. Local.
std::array<Axis, num_axes> work_axes(const Network& network, const Node& node, std::size_t operand);

/// The whole contracted index space: the extents of the first input.
Box whole_contracted(const Network& network, const Node& node);

/// The box of input `operand` (an index into node.inputs) that `work` needs, clipped to the tensor; empty if it is all padding.
/// Separable: where the work region is whole along all other axes, an axis of the input depends only on the axis of the computed
/// box given by `work_axes` and on the same axis of the contracted box. Monotonic: a smaller work region never needs more.
/// Local. Example: a 3x3 convolution with padding 1 on 8 rows: output rows [4, 8) need input rows [3, 8).
Box needed_box(const Network& network, const Node& node, std::size_t operand, const WorkRegion& work);

/// A LocalOp without the layouts of its operands.
struct LocalWork {
  LocalKind kind{};
  LocalEpilogue epilogue{};
  /// Sources as indices into node.inputs, in order. A Fill has the residual only.
  std::vector<std::size_t> operands{};

  /// The call on operands of these layouts. Precondition: `srcs` has one entry per entry of `operands`.
  LocalOp placed(std::vector<OperandLayout> srcs, const OperandLayout& dst) const;
};

/// The backend call for `work`, in local indices. Local. Preconditions: work.computed is not empty; the operator is not Concat,
/// which only moves boxes.
LocalWork localise(const Network& network, const Node& node, const WorkRegion& work);

/// The same without the epilogue, for a partial sum.
LocalWork localise_partial(const Network& network, const Node& node, const WorkRegion& work);

/// The epilogue of box `owned`, applied by the owner after adding up the contributions.
LocalEpilogue local_epilogue(const Network& network, const Node& node, const Box& owned);

/// Offset of input `operand` in the output of a Concat, along its axis. Example: inputs of 3, 5 and 2 channels: 0, 3 and 8.
index_t concat_offset(const Network& network, const Node& node, std::size_t operand);

/// Floating-point operations of a work region: two per tap of a convolution, one per element read for other operators. Local.
double flops(const Network& network, const Node& node, const WorkRegion& work);

/// Bytes of weights that a work region uses: the filter in `type`, the bias in f32. Local.
index_t weight_bytes(const Network& network, const Node& node, const WorkRegion& work, DType type = DType::F32);

}  // namespace parconv
