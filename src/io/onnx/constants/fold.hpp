// SPDX-License-Identifier: Apache-2.0
// Evaluation of nodes whose inputs are constants, while a model is read.
#pragma once

#include <string_view>
#include <vector>

#include "io/onnx/onnx_node.hpp"

namespace parconv {

/// True for operators that `fold` supports.
bool is_foldable(std::string_view op_type);

/// Names of these operators, in alphabetical order.
std::vector<std::string_view> foldable_operators();

/// Replaces the outputs of a node by constants and returns true if its inputs are constants (for Shape and Size: values of known
/// shape) of at most 2^24 elements each. Elements have ONNX's types; floats are computed as f64 and rounded once per node.
/// Returns false without effect for operators, types or sizes that it does not support, and once a model has asked for 2^27
/// elements. The n of a Shape is the number of samples of the data. Throws Error(BadData) naming the node, for an index out of
/// range, a division by zero, or an integer that does not fit its type.
bool fold(NodeReader& node);

}  // namespace parconv
