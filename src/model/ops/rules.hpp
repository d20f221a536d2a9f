// SPDX-License-Identifier: Apache-2.0
// The rules of every operator: one specialisation of Rules per operator, in one file of this folder.
#pragma once

#include <span>
#include <string>

#include "parconv/model/localise.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {

/// A node and the shapes around it, as its rules see them.
struct NodeView {
  const Network& network;
  const Node& node;

  const Extents& in(std::size_t operand = 0) const { return network.value(node.inputs[operand]).extents; }
  const Extents& out() const { return network.value(node.output).extents; }
};

/// The shapes of an operator's inputs without the residual. Its checks throw Error(BadData) naming the node.
struct OperandShapes {
  std::span<const Shape> shapes;
  const std::string& node;

  [[noreturn]] void refuse(const std::string& why) const;
  const Shape& first() const;
  const Shape& only() const;
  /// Refuses a list without exactly one entry per channel.
  void check_count(const char* what, std::size_t found, index_t expected) const;
};

/// Rules<Op> holds, as static functions,
///   name(op)                                    the name of the operator
///   output_shape(op, operands)                  the shape rule
///   needed_box(op, view, operand, work)         the box of an input that a work region needs; separable (see localise.hpp)
///   contracted_axes(op, view)                   input axes that it sums over and that may be divided
///   localise(op, view, work, need)              the call for a work region; `need` is the box of the first input
///   flops(op, view, work)                       the operations of a work region
///   mixes_samples(op, view)                     true if an output depends on several samples
/// and, where the default does not apply,
///   work_axes(op, view)                         the axis of the computed box that each input axis depends on (the same)
///   weight_elems(op, view, work)                elements of weights that a work region uses (none)
///   rebatch(op, n)                              updates attributes with the number of samples (none)
///   reads_activations, makes_f32(op)            its operands have the type of activations only; its result is always f32 (see
///                                               types_of_values) (neither)
template <class Op>
struct Rules;

/// The common defaults: one input of the output's shape, element by element, one flop per element.
template <class Op>
struct PointwiseRules {
  static Shape output_shape(const Op&, const OperandShapes& operands) { return operands.only(); }
  static Box needed_box(const Op&, const NodeView&, std::size_t, const WorkRegion& work) { return work.computed; }
  static std::array<bool, num_axes> contracted_axes(const Op&, const NodeView&) { return {}; }
  static double flops(const Op&, const NodeView& view, const WorkRegion& work) {
    double elems = 0;
    for (std::size_t operand = 0; operand < view.node.inputs.size(); ++operand)
      elems += static_cast<double>(volume(parconv::needed_box(view.network, view.node, operand, work)));
    return elems;
  }
  static bool mixes_samples(const Op&, const NodeView&) { return false; }
};

// ---- Shared by several operators ------------------------------------------------------------------------------------------

/// The output shape of a window; refuses sizes below 1, negative padding and windows longer than the padded input.
Shape slide(const Window& window, const Shape& in, const OperandShapes& operands);

/// Needed inputs of a window, with `channels` of the input.
Box needed_by_window(const Window& window, const Extents& in, const WorkRegion& work, Interval channels);

/// The local window: padding 0 at a cut and the true padding at the tensor's edge, for the taps [taps.lo, taps.hi).
/// Example: kernel 3, pad 1, 8 rows: outputs [0, 4) get pad_lo 1 and pad_hi 0 and the inputs [0, 5).
WindowAxis local_window(const WindowAxis& window, Interval out, Interval need, Interval taps);

double taps_per_output(const Window& window);

/// The part of a list of one value per channel; empty for an empty list.
std::vector<float> channel_slice(const std::vector<float>& values, Interval channels);

/// Offset of `inner` in `outer`.
Extents offset_in(const Box& inner, const Box& outer);

}  // namespace parconv
