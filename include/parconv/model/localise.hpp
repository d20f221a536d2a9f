// From the boxes of one rank to what it needs and what it computes. Pure.
#pragma once

#include <array>

#include "parconv/model/local_op.hpp"

namespace parconv {

/// What one rank does of an operator: the box of the output that it computes, and the box of the contracted axes that it sums
/// over (input channels over all groups, and input space where the operator contracts it; whole where nothing is divided).
struct Share {
  Box computed{};
  Box contracted{};
};

/// Input axes that `node` sums over and that may be divided: c for convolutions; d, h, w for a convolution over the full
/// extent; w for RowSum.
std::array<bool, num_axes> contracted_axes(const Network& network, const Node& node);

/// For each axis of input `operand`, the axis of the computed box that it depends on: each is named once. Mostly the same axis; a
/// Transpose exchanges them.
std::array<Axis, num_axes> share_axes(const Network& network, const Node& node, std::size_t operand);

/// The whole index space that is contracted: the extents of the first input.
Box whole_contracted(const Network& network, const Node& node);

/// The box of input `operand` (an index into node.inputs) that `share` needs, clipped to the tensor; empty if it is all padding.
/// Separable: where the share is whole along all other axes, an axis of the input depends on one axis of the computed box only,
/// the one that `share_axes` names, and on the same axis of the contracted box. A smaller share never needs more.
Box needed_box(const Network& network, const Node& node, std::size_t operand, const Share& share);

/// The call for `share`, with operands dense in their needed boxes. `is_finished` = false leaves the Finish out (a sum that is
/// not complete). Precondition: share.computed is not empty. Not for Concat, which only moves boxes.
LocalOp localise(const Network& network, const Node& node, const Share& share, bool is_finished);

/// The finish alone, for the owner of a box whose contributions have been added up.
LocalFinish local_finish(const Network& network, const Node& node, const Box& owned);

/// Where input `operand` of a Concat begins in the output, along the Concat's axis.
index_t concat_offset(const Network& network, const Node& node, std::size_t operand);

/// Multiplications and additions (two per tap of a convolution) of a share; one per element read for other operators.
double flops(const Network& network, const Node& node, const Share& share);

/// Bytes of weights that a share uses: the filter in `type`, the bias in f32.
index_t weight_bytes(const Network& network, const Node& node, const Share& share, DType type = DType::F32);

}  // namespace parconv
