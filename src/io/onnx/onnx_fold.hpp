// SPDX-License-Identifier: Apache-2.0
// Constant folding of shape arithmetic and short constants while a model is read.
#pragma once

#include <string_view>

#include "io/onnx/onnx_node.hpp"

namespace parconv {

/// True for operators that `fold` supports.
bool is_foldable(std::string_view op_type);

/// Folds the node's output to a constant and returns true if its inputs are constants of at most 1024 elements (or, for Shape,
/// values of known shape) with supported dimensions; otherwise returns false without effect. The n of a Shape is the number of
/// samples of the data. Throws Error(BadData) naming the node for an index out of range or a division by zero.
bool fold(NodeReader& node);

}  // namespace parconv
