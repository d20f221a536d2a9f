// What every operator states about itself: one specialisation of Rules per operator, in one file of this folder.
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

/// The shapes of an operator's inputs without the residual. Refusals throw Error(BadData) that names the node.
struct OperandShapes {
  std::span<const Shape> shapes;
  const std::string& node;

  [[noreturn]] void refuse(const std::string& why) const;
  const Shape& first() const;
  const Shape& only() const;
  /// Refuses a list that has not one entry per channel.
  void check_count(const char* what, std::size_t found, index_t expected) const;
};

/// Rules<Op> holds, as static functions,
///   name(op)                                    what the operator is called
///   output_shape(op, operands)                  the shape rule
///   needed_box(op, view, operand, share)        what a share needs of an input; separable (see needed_box of localise.hpp)
///   contracted_axes(op, view)                   input axes that it sums over and that may be divided
///   localise(op, view, share, need)             the call for a share; `need` is the box of the first input
///   flops(op, view, share)                      what the share costs
///   mixes_samples(op, view)                     true if an output depends on several samples
/// and, where the answer is not the usual one,
///   share_axes(op, view)                        the axis of the computed box that each input axis depends on: the same
///   weight_elems(op, view, share)               elements of weights that a share uses: none
///   rebatch(op, n)                              changes what states the number of samples: nothing does
template <class Op>
struct Rules;

/// What most operators have in common: one input of the output's shape, element by element, a flop per element.
template <class Op>
struct PointwiseRules {
  static Shape output_shape(const Op&, const OperandShapes& operands) { return operands.only(); }
  static Box needed_box(const Op&, const NodeView&, std::size_t, const Share& share) { return share.computed; }
  static std::array<bool, num_axes> contracted_axes(const Op&, const NodeView&) { return {}; }
  static double flops(const Op&, const NodeView& view, const Share& share) {
    double elems = 0;
    for (std::size_t operand = 0; operand < view.node.inputs.size(); ++operand)
      elems += static_cast<double>(volume(parconv::needed_box(view.network, view.node, operand, share)));
    return elems;
  }
  static bool mixes_samples(const Op&, const NodeView&) { return false; }
};

// ---- Shared by several operators ------------------------------------------------------------------------------------------

/// The shape that a window makes; refuses sizes below 1, negative padding and windows longer than the padded input.
Shape slide(const Window& window, const Shape& in, const OperandShapes& operands);

/// Inputs of a window, with `channels` of the input.
Box needed_by_window(const Window& window, const Extents& in, const Share& share, Interval channels);

/// Padding 0 at a cut, the true one at the tensor's edge, for the taps [taps.lo, taps.hi) of the window.
/// Example: kernel 3, pad 1, 8 rows: outputs [0, 4) get pad_lo 1 and pad_hi 0 and the inputs [0, 5).
WindowAxis local_window(const WindowAxis& window, Interval out, Interval need, Interval taps);

double taps_per_output(const Window& window);

/// The part of a list of one number per channel; empty if the list is.
std::vector<float> channel_slice(const std::vector<float>& values, Interval channels);

/// Where `inner` begins in `outer`.
Extents offset_in(const Box& inner, const Box& outer);

}  // namespace parconv
